"""The command line `fewshot`. A command's module is imported when that command is called."""

import importlib
import os
import sys
import warnings
from pathlib import Path

import click

from pipeline.console import WRONG_INPUT
from serving.errors import UserError

# Set before TensorFlow is imported: hides its start-up notices; errors are raised all the same.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

COMMANDS = {
    "compare": "pipeline.compare.command:compare",
    "compile": "pipeline.kubeflow.command:compile_command",
    "data": "pipeline.data_command:data",
    "encoder": "pipeline.encoder_command:encoder",
    "evaluate": "pipeline.evaluate.command:evaluate",
    "init": "pipeline.data_command:init",
    "query": "serving.client.command:query",
    "restyle": "serving.client.restyle_command:restyle",
    "serve": "serving.model_server.command:serve",
    "specialise": "pipeline.specialise_command:specialise",
    "submit": "pipeline.kubeflow.command:submit_command",
    "zoo": "pipeline.zoo.command:zoo",
}
"""`module:name` of each command but `run`."""
PROJECT = ("components", "pipeline", "serving")


class LazyCommands(click.Group):
    """Imports commands when they are called; turns a user's mistake into a sentence, status 2."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *COMMANDS})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return super().get_command(context, name)
        module, _, attribute = COMMANDS[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def invoke(self, context: click.Context) -> object:
        # Libraries' warnings about themselves (Python's age, setuptools): no user can act on them.
        warnings.simplefilter("ignore")
        try:
            return super().invoke(context)
        except UserError as error:
            sentence = str(error)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package in ("", *PROJECT):
                raise
            sentence = missing_extra(context.invoked_subcommand or "", package)
        click.echo(f"error: {sentence}", err=True)
        sys.exit(WRONG_INPUT)


def missing_extra(command: str, package: str) -> str:
    """Says which extra of the distribution a command needs, for `package` is not installed."""
    extra = "server" if command in ("query", "restyle", "serve") else "pipeline"
    return (
        f"`fewshot {command}` needs the extra `{extra}`, for {package} is not installed: "
        f"uv pip install 'fewshot-pipeline[{extra}]'"
    )


@click.group(cls=LazyCommands)
@click.version_option(package_name="fewshot-pipeline", prog_name="fewshot")
def main() -> None:
    """Few-shot models: meta-train, evaluate, push, serve and query them."""


@main.command()
@click.option("--config", "config_path", required=True, help="YAML file of the configuration.")
@click.option("--set", "overrides", multiple=True, help="section.key=value, over the file.")
@click.option("--output-dir", type=click.Path(path_type=Path), help="Default: runs/<name>.")
@click.option(
    "--predict",
    "--ask",
    "predict",
    is_flag=True,
    help="Then let the pushed model predict classes that it has never seen.",
)
def run(
    config_path: str, overrides: tuple[str, ...], output_dir: Path | None, predict: bool
) -> None:
    """Run the pipeline here. Exit status: 0 pushed, 3 not blessed, 1 failed, 2 wrong input."""
    from pipeline.run_command import run_pipeline

    sys.exit(run_pipeline(config_path, overrides, output_dir, predict=predict))


if __name__ == "__main__":
    main()
