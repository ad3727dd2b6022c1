"""The command `fewshot query`."""

import os
import re
from pathlib import Path

import click

from serving.client.answer import Answer
from serving.client.client import DEFAULT_TIMEOUT, FewShotClient
from serving.client.files import read_queries, read_support
from serving.client.transport import Tls
from serving.errors import UserError
from serving.protocol.status import (
    DEADLINE_EXCEEDED,
    NAMES,
    NOT_FOUND,
    UNAVAILABLE,
    StatusError,
)
from serving.start_up import skip_unused_imports

_CHUNK = 32
# TensorFlow's wrapping of the sentence of a check in a SavedModel.
_ASSERTION = re.compile(r"assertion failed: \[(.*)\]")


@click.command()
@click.argument("queries", nargs=-1, required=True)
@click.option(
    "--support",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder with a sub-folder of files per class, or a .csv, .tsv or .jsonl with the "
    "columns text and label.",
)
@click.option("--model", help="SavedModel on disk: a version folder or the folder of versions.")
@click.option("--address", help="gRPC server, host:port or unix:PATH.")
@click.option("--rest", help="REST server, http://host:port.")
@click.option("--model-name", default="default", show_default=True, help="Its name on a server.")
@click.option("--version", type=int, help="Version; the newest by default.")
@click.option("--version-label", default="", help="Version label, on a server.")
@click.option(
    "--none-below",
    type=click.FloatRange(0, 1),
    help="Answer `none of these` below this probability (the report says which).",
)
@click.option("--timeout", default=DEFAULT_TIMEOUT, show_default=True, help="Seconds a request.")
@click.option("--tls-ca", type=click.Path(path_type=Path), help="PEM of the server's authority.")
@click.option(
    "--tls-cert", type=click.Path(path_type=Path), help="PEM of the client, with --tls-key."
)
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM of the client's key.")
def query(
    queries: tuple[str, ...],
    support: Path,
    model: str | None,
    address: str | None,
    rest: str | None,
    model_name: str,
    version: int | None,
    version_label: str,
    none_below: float | None,
    timeout: float,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Classify QUERIES (files, or texts) given a few labelled examples of each class."""
    targets = [target for target in (model, address, rest) if target]
    if len(targets) != 1:
        raise UserError("Give exactly one of `--model`, `--address` and `--rest`.")
    if model and not Path(model).is_dir():
        raise UserError(f"`--model` must be an existing folder; {model} is none.")
    if model:
        skip_unused_imports()
    examples = read_support(support)
    named = read_queries(queries, texts=not support.is_dir())
    tls = Tls(tls_ca, tls_cert, tls_key) if tls_ca or tls_cert else None
    try:
        with FewShotClient.connect(
            targets[0], model_name, version=version, label=version_label, tls=tls, timeout=timeout
        ) as client:
            answers = list(client.stream(examples, [example for _, example in named], chunk=_CHUNK))
    except StatusError as error:
        raise UserError(_sentence(error, targets[0])) from error
    print_table([name for name, _ in named], answers, none_below=none_below or 0.0)


def _sentence(error: StatusError, target: str) -> str:
    message = error.message.split("\n\t [[")[0]  # without TensorFlow's names of graph nodes
    assertion = _ASSERTION.search(message)
    message = assertion[1] if assertion else message
    if error.code in (UNAVAILABLE, DEADLINE_EXCEEDED):
        return f"{target} does not answer; is the address right, does a server run? ({message})"
    if error.code == NOT_FOUND:
        return f"{target} does not serve this model: {message}; see `--model-name` and `--version`."
    return f"The model refused: {NAMES[error.code]}: {message}"


def _without_common_folder(names: list[str]) -> list[str]:
    """File names if all paths are in one folder; the paths unchanged otherwise."""
    folders = {os.path.dirname(name) for name in names}
    return [os.path.basename(name) for name in names] if len(folders) == 1 else names


def print_table(names: list[str], answers: list[Answer], *, none_below: float = 0.0) -> None:
    """Prints the class, its probability and the runner-up of each query.

    Args:
      names: names of the queries.
      answers: answers to the queries, in order.
      none_below: smallest probability for which a query is given a class.
    """
    from rich.console import Console
    from rich.table import Column, Table

    headings = ("query", "class", "probability", "second", "probability")
    table = Table(*(Column(heading, overflow="fold") for heading in headings))
    rows = [row for answer in answers for row in answer.probabilities]
    for name, row in zip(_without_common_folder(names), rows):
        best = row.argsort()[::-1][:2]
        cells = [
            cell for index in best for cell in (answers[0].class_names[index], f"{row[index]:.3f}")
        ]
        if row[best[0]] < none_below:
            cells = ["none of these", "", *cells[:2]]
        table.add_row(name, *cells)
    Console().print(table)
