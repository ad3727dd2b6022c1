"""The commands `fewshot compile` and `fewshot submit`."""

import sys
from pathlib import Path
from typing import Any

import click


@click.command("compile")
@click.option("--config", "config_path", required=True, help="YAML file of the configuration.")
@click.option("--set", "overrides", multiple=True, help="section.key=value, over the file.")
@click.option("--image", required=True, help="Container image of all steps.")
@click.option(
    "--allow-mutable-tag", is_flag=True, help="Take an image without a tag, or with `latest`."
)
@click.option(
    "--parameter", "parameters", multiple=True, help="NAME=VALUE: default of a run-time parameter."
)
@click.option(
    "--own-code",
    type=click.Choice(["packed", "image"]),
    default="packed",
    show_default=True,
    help="Where the steps find a learner, backbone or source of your own: packed into the compiled "
    "file, or in the image.",
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="A .yaml file.")
def compile_command(
    config_path: str,
    overrides: tuple[str, ...],
    image: str,
    allow_mutable_tag: bool,
    parameters: tuple[str, ...],
    own_code: str,
    output: Path,
) -> None:
    """Compile the pipeline for Kubeflow Pipelines v2. Exit status: 0 written, 2 wrong input."""
    from pipeline.console import without_notices
    from pipeline.kubeflow import names
    from serving.errors import UserError

    if output.suffix not in (".yaml", ".yml"):
        raise UserError(f"`--output` must end in .yaml, as the backend asks: got {output}.")
    names.check_image(image)
    if not allow_mutable_tag:
        names.check_fixed(image)

    # The configuration's classes import TensorFlow, which has notices of its own.
    with without_notices():
        from pipeline.config import load_config
        from pipeline.kubeflow.own_parts import OwnParts, other_paths
        from pipeline.kubeflow.parameters import parse_parameters
        from pipeline.kubeflow_runner import compile_pipeline, write_package

        config = load_config(config_path, overrides)
        names.check_pipeline_name(config.name)
        defaults = parse_parameters(parameters)
        packed = own_code == "packed"
        documents = compile_pipeline(config, image, defaults, pack_own_code=packed)
        write_package(documents, output)
    steps = len(documents[0]["root"]["dag"]["tasks"])
    click.echo(f"{output}: {config.name}, {steps} steps")
    own = OwnParts(config, defaults)
    if own and not packed:
        click.echo(
            f"The image {image} must hold the modules of your own, importable by name, as they are "
            f"here: {own}."
        )
    elif own:
        files, missing = own.files(), own.missing()
        if files:
            click.echo(f"Your own code is packed into it: {own} ({', '.join(files)}).")
        if missing:
            click.echo(f"The image {image} must hold what this code needs: {', '.join(missing)}.")
    paths = other_paths(config, defaults)
    if paths:
        click.echo(
            f"The image {image} must hold these paths, which are not below "
            f"{config.kubeflow.shared_dir}: {', '.join(paths)}."
        )


@click.command("submit")
@click.option("--host", required=True, help="URL of the Kubeflow Pipelines API.")
@click.option(
    "--pipeline",
    "package",
    required=True,
    type=click.Path(path_type=Path),
    help="File that `fewshot compile` wrote.",
)
@click.option("--parameter", "parameters", multiple=True, help="NAME=VALUE, a run-time parameter.")
@click.option("--experiment", default="fewshot", show_default=True)
@click.option("--run-name", help="Default: the pipeline's name.")
@click.option("--namespace", help="Namespace in a multi-user Kubeflow.")
@click.option("--cron", help="Schedule of a recurring run: six fields, seconds first.")
@click.option("--token", envvar="KUBEFLOW_TOKEN", help="Bearer token; default: KUBEFLOW_TOKEN.")
def submit_command(host: str, package: Path, parameters: tuple[str, ...], **others: Any) -> None:
    """Send a compiled pipeline to a cluster. Exit status: 0 accepted, 1 refused, 2 wrong input."""
    from pipeline.kubeflow.submit import Refused, submit

    try:
        sentence = submit(host, package, parameters, **others)
    except Refused as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    click.echo(sentence)
