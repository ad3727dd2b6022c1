"""The command line: `fewshot`. Nothing heavy is imported before a command needs it."""

import os
import sys
import warnings
from pathlib import Path

import click

from pipeline.compare.command import compare
from pipeline.console import WRONG_INPUT
from pipeline.data_command import data, init
from pipeline.kubeflow.command import compile_command, submit_command
from serving.client.command import query
from serving.errors import UserError
from serving.model_server.command import serve

# Before TensorFlow is imported. Its start-up notices are not the user's; what fails is raised.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


class Commands(click.Group):
    """Turns a user's mistake into one sentence and exit status 2."""

    def invoke(self, context: click.Context) -> object:
        # Libraries' notices about themselves (Python's age, setuptools): no user can mend them.
        warnings.simplefilter("ignore")
        try:
            return super().invoke(context)
        except UserError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(WRONG_INPUT)


@click.group(cls=Commands)
def main() -> None:
    """Few-shot models: meta-train, judge, ship, serve and ask them."""


@main.command()
@click.option("--config", "config_path", required=True, help="YAML file of the configuration.")
@click.option("--set", "overrides", multiple=True, help="section.key=value, over the file.")
@click.option("--output-dir", type=click.Path(path_type=Path), help="Default: runs/<name>.")
@click.option("--ask", is_flag=True, help="Then ask the pushed model about unseen classes.")
def run(config_path: str, overrides: tuple[str, ...], output_dir: Path | None, ask: bool) -> None:
    """Run the pipeline here. Exit status: 0 pushed, 3 not blessed, 1 failed, 2 wrong input."""
    from pipeline.run_command import run_pipeline

    sys.exit(run_pipeline(config_path, overrides, output_dir, ask=ask))


main.add_command(data)
main.add_command(init)
main.add_command(serve)
main.add_command(query)
main.add_command(compare)
main.add_command(compile_command)
main.add_command(submit_command)


if __name__ == "__main__":
    main()
