"""The command `fewshot specialise`: adapt once, and take the classifier away."""

import shutil
import tempfile
from pathlib import Path

import click

from serving.errors import UserError


@click.command()
@click.option("--model", required=True, help="zoo:NAME, or the folder of a run or of a model.")
@click.option(
    "--support",
    required=True,
    type=click.Path(path_type=Path),
    help="Examples of each class, as for `fewshot query`.",
)
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="New folder to write."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["saved_model", "tflite"]),
    default="saved_model",
    show_default=True,
)
@click.option("--text-column", help="Column of texts in a table; a guess by default.")
@click.option("--label-column", help="Column of classes in a table; a guess by default.")
def specialise(
    model: str,
    support: Path,
    output: Path,
    form: str,
    text_column: str | None,
    label_column: str | None,
) -> None:
    """Adapt a few-shot model once and write an ordinary classifier of the classes of --support.

    It needs neither a support set nor this project: a SavedModel of stock operations for files or
    texts, or TensorFlow Lite files with labels.txt.
    """
    from serving.client.files import read_support
    from serving.files.encoding import encode_example

    if output.exists():
        raise UserError(f"`--output` must be a new folder: {output} is there.")
    found = read_support(support, text_column=text_column, label_column=label_column)
    modality = found.kind.modality if found.kind else "text"
    encoded = {
        name: [encode_example(example, modality) for example in examples]
        for name, examples in found.examples.items()
    }
    from pipeline.console import console_session

    logs = Path(tempfile.mkdtemp(prefix="fewshot-specialise-"))  # which a failure leaves behind
    try:
        with console_session("specialisation", logs / "specialise.log"):
            classes = _specialise(model, modality, encoded, output, form)
    except UserError:
        shutil.rmtree(logs)
        raise
    shutil.rmtree(logs)
    size = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    click.echo(f"{output}: {classes} classes, {size} bytes")
    if form == "saved_model":
        click.echo(f"use: fewshot query --model {output} QUERIES", err=True)


def _specialise(
    model: str, modality: str, support: dict[str, list[bytes]], output: Path, form: str
) -> int:
    """Writes the classifier, and gives the number of its classes."""
    from components.specialise.classifier import adapt_once
    from components.specialise.saved_model import write_saved_model
    from components.specialise.tflite import write_tflite
    from pipeline.evaluate.model import find_model

    trained = find_model(Path(model))
    if trained.spec.modality != modality:
        raise UserError(
            f"`--support` must hold examples as the model takes them, {trained.spec.modality}: "
            f"got {modality}."
        )
    section = trained.metadata.get("learner_options") or trained.config.get("learner")
    if section is None:
        raise UserError(
            f"`--model` must be a model with its configuration: {trained.folder} was written by an "
            "earlier version, and the summary of its run is not beside it."
        )
    classifier = adapt_once(str(trained.folder), section, support)
    if form == "tflite":
        write_tflite(classifier, output)
    else:
        write_saved_model(classifier, output, made_from=model)
    return len(classifier.classes)
