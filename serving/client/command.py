"""The command `fewshot query`."""

import functools
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from serving.client import classifier
from serving.client.answer import Answer
from serving.client.client import DEFAULT_TIMEOUT, FewShotClient
from serving.client.files import convert_recordings, read_queries, read_support
from serving.client.transport import Tls
from serving.errors import UserError
from serving.files.class_folders import Kind
from serving.files.unreadable import printable
from serving.protocol.status import DEADLINE_EXCEEDED, NAMES, NOT_FOUND, UNAVAILABLE, StatusError
from serving.saved_model.signatures import TEXTS
from serving.start_up import skip_unused_imports
from serving.zoo.fetch import local_folder

_CHUNK = 32
_AUTO = "auto"
# TensorFlow's wrapping of the sentence of a check in a SavedModel.
_ASSERTION = re.compile(r"assertion failed: \[(.*)\]")


class NoneBelow(click.ParamType):
    """A number from 0 to 1, or "auto" for the model's own recommendation."""

    name = "number|auto"

    def convert(self, value: object, param: object, context: object) -> float | str:
        if value == _AUTO:
            return _AUTO
        try:
            number = float(str(value))
        except ValueError:
            number = -1.0
        if not 0 <= number <= 1:
            self.fail(f"must be a number from 0 to 1, or {_AUTO}; got {value}.")
        return number


@click.command()
@click.argument("queries", nargs=-1, required=True)
@click.option(
    "--support",
    type=click.Path(path_type=Path),
    help="Folder with a sub-folder of files per class, or a table (.csv, .tsv, .jsonl, .json) of "
    "texts and their classes. None for a classifier that `fewshot specialise` wrote.",
)
@click.option("--text-column", help="Column of texts in a table; a guess by default.")
@click.option("--label-column", help="Column of classes in a table; a guess by default.")
@click.option("--encoding", help="Text encoding of tables, as cp1252; UTF-8 by default.")
@click.option(
    "--sample-rate",
    type=click.IntRange(1),
    help="Convert recordings to mono at this rate, that of the model; else others are refused.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a query.")
@click.option("--model", help="zoo:NAME, or the folder of a SavedModel or of its versions.")
@click.option("--address", help="gRPC server, host:port or unix:PATH.")
@click.option("--rest", help="REST server, http://host:port.")
@click.option("--model-name", default="default", show_default=True, help="Its name on a server.")
@click.option("--version", type=int, help="Version; the newest by default.")
@click.option("--version-label", default="", help="Version label, on a server.")
@click.option(
    "--none-below",
    type=NoneBelow(),
    help="Answer `none of these` where 1 - none_score is below this: 0.1 refuses about one in ten "
    "queries that do belong to a class, auto is what the model recommends. (Of older models, "
    "without a none_score: where the probability is below this.)",
)
@click.option("--timeout", default=DEFAULT_TIMEOUT, show_default=True, help="Seconds a request.")
@click.option("--tls-ca", type=click.Path(path_type=Path), help="PEM of the server's authority.")
@click.option(
    "--tls-cert", type=click.Path(path_type=Path), help="PEM of the client, with --tls-key."
)
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM of the client's key.")
def query(
    queries: tuple[str, ...],
    support: Path | None,
    text_column: str | None,
    label_column: str | None,
    encoding: str | None,
    sample_rate: int | None,
    as_json: bool,
    model: str | None,
    address: str | None,
    rest: str | None,
    model_name: str,
    version: int | None,
    version_label: str,
    none_below: float | str | None,
    timeout: float,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Classify QUERIES given a few labelled examples of each class.

    QUERIES are files and folders of them, or texts and tables of them.
    """
    model = local_folder(model) if model else None
    targets = [target for target in (model, address, rest) if target]
    if len(targets) != 1:
        raise UserError("Give exactly one of `--model`, `--address` and `--rest`.")
    if model and not Path(model).is_dir():
        raise UserError(f"`--model` must be an existing folder; {model} is none.")
    if address and "://" in address:
        raise UserError(f"`--address` must be host:port or unix:PATH; give {address} to `--rest`.")
    if model:
        skip_unused_imports()
    table: dict[str, str | None] = {"text_column": text_column, "encoding": encoding}
    tls = Tls(tls_ca, tls_cert, tls_key) if tls_ca or tls_cert else None
    connect = functools.partial(
        FewShotClient.connect,
        *(targets[0], model_name),
        version=version,
        label=version_label,
        tls=tls,
        timeout=timeout,
    )
    if support is None:
        read = functools.partial(read_queries, queries, text_column=text_column, encoding=encoding)
        named, kind, answers = _without_support(connect, targets[0], queries, read)
        _show([name for name, _ in named], kind, answers, as_json=as_json, none_below=none_below)
        return
    found = read_support(support, label_column=label_column, **table)
    named = read_queries(queries, found.kind, ignored=found.ignored, **table)
    if sample_rate and found.kind and found.kind.modality == "audio":
        support_set, named = convert_recordings(found.examples, named, sample_rate)
        found = found._replace(examples=support_set)
    for name, reason in found.ignored.items():
        click.echo(f"not read: {printable(name)}: {reason}", err=True)
    try:
        with connect() as client:
            examples = [query for _, query in named]
            answers = list(client.stream(found.examples, examples, chunk=_CHUNK))
    except StatusError as error:
        raise UserError(error_sentence(error, targets[0])) from error
    names = [name for name, _ in named]
    _show(names, found.kind, answers, as_json=as_json, none_below=none_below)


def _show(
    names: list[str],
    kind: Kind | None,
    answers: list[Answer],
    *,
    as_json: bool,
    none_below: float | str | None,
) -> None:
    if as_json:
        print_json(names, answers, none_below=none_below)
    else:
        shown = _without_common_folder(names) if kind else names
        print_table(shown, answers, none_below=none_below)


def _without_support(
    connect: Callable[[], FewShotClient],
    target: str,
    queries: tuple[str, ...],
    read: Callable[[Kind | None], list[tuple[str, Any]]],
) -> tuple[list[tuple[str, Any]], Kind | None, list[Answer]]:
    """The queries by name and their kind, and a classifier's answers to them."""
    try:
        with connect() as client:
            name = classifier.input_name(client.signatures)
            if name is None:
                raise UserError(
                    "`--support` must be given: the model adapts to examples of each class; only a "
                    "classifier that `fewshot specialise` wrote needs none."
                )
            kind = None if name == TEXTS else classifier.kind_of(queries)
            named = read(kind)
            examples = [example for _, example in named]
            starts = range(0, len(examples), _CHUNK)
            return named, kind, [client.predict(examples[at : at + _CHUNK]) for at in starts]
    except StatusError as error:
        raise UserError(error_sentence(error, target)) from error


def error_sentence(error: StatusError, target: str) -> str:
    """Says what a server or a model refused, for a person."""
    message = error.message.split("\n\t [[")[0]  # without TensorFlow's names of graph nodes
    assertion = _ASSERTION.search(message)
    message = assertion[1] if assertion else message
    if error.code in (UNAVAILABLE, DEADLINE_EXCEEDED):
        return f"{target} does not answer; is the address right, does a server run? ({message})"
    if error.code == NOT_FOUND:
        return f"{target} does not serve this model: {message}; see `--model-name` and `--version`."
    return f"The model refused: {NAMES[error.code]}: {message}"


def print_json(
    names: list[str], answers: list[Answer], *, none_below: float | str | None = None
) -> None:
    """Prints a JSON object a line for each query; the arguments are those of `print_table`.

    Its keys are `query`, `class` (null for none of them), `probability`, `none_score` if the model
    has it, and `probabilities`, which holds the probability of every class by its name.
    """
    rows = [row for answer in answers for row in answer.probabilities]
    scores = [s for answer in answers if answer.none_scores is not None for s in answer.none_scores]
    of_model = [{"none_score": float(score)} for score in scores] or [{}] * len(rows)
    for name, row, label, more in zip(names, rows, _labels(answers, none_below), of_model):
        answer = {"query": printable(name), "class": label, "probability": float(row.max())}
        probabilities = dict(zip(answers[0].class_names, map(float, row)))
        click.echo(json.dumps({**answer, **more, "probabilities": probabilities}))


def _labels(answers: list[Answer], none_below: float | str | None) -> list[str | None]:
    """The class of every query, None for "none of these"."""
    labels: list[str | None] = []
    for answer in answers:
        if none_below is None:
            labels += answer.labels
        else:
            labels += answer.labels_or_none(None if isinstance(none_below, str) else none_below)
    return labels


def _without_common_folder(names: list[str]) -> list[str]:
    """File names if all paths are in one folder; the paths unchanged otherwise."""
    folders = {os.path.dirname(name) for name in names}
    return [os.path.basename(name) for name in names] if len(folders) == 1 else names


def print_table(
    names: list[str], answers: list[Answer], *, none_below: float | str | None = None
) -> None:
    """Prints the class, its probability and the runner-up of each query.

    `none_below` is as `Answer.labels_or_none` takes it, or "auto"; None gives every query a class.
    """
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    headings = ("query", "class", "probability", "second", "probability")
    table = Table(*(Column(heading, overflow="fold") for heading in headings))
    rows = [row for answer in answers for row in answer.probabilities]
    for name, row, label in zip(names, rows, _labels(answers, none_below)):
        best = row.argsort()[::-1][:2]
        cells = [
            cell for index in best for cell in (answers[0].class_names[index], f"{row[index]:.3f}")
        ]
        if label is None:
            cells = ["none of these", "", *cells[:2]]
        # People's words are no markup: a class may be called [bold] or :smile:.
        table.add_row(*(Text(printable(cell)) for cell in (name, *cells)))
    Console().print(table)
