"""Ends a run with a query: the pushed model predicts classes that it has never seen."""

import csv
import re
import shlex
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from components.episodes.dataset import read_split
from components.episodes.format import Episode, decode_episode
from components.episodes.record import read_record
from components.modalities.base import ExampleSpec
from components.modalities.encoders import encoder_for
from pipeline.summary import latest_run

_SUFFIXES = {"image": "png", "audio": "wav"}


class ExampleQuery(NamedTuple):
    """A query for `fewshot query`, as files."""

    support: Path  # of a folder or of a table
    queries: list[str]  # paths of files, or texts
    shell_words: str  # the queries as one would type them


def query_unseen_classes(output_dir: Path, summary: dict[str, Any]) -> None:
    """Writes the first test episode to files as a user has them and runs `fewshot query` on it.

    The files stay in `example/`, to look at and to try again. Nothing happens for regression, and
    for examples that have no form of their own as a file or a text. A model must have been pushed.
    """
    from serving.client.command import query

    examples = latest_run(output_dir / "metadata.sqlite")[1]["examples"]
    record = read_record(examples.uri)
    serialized = next(iter(read_split(examples.uri, "test").as_numpy_iterator()))
    episode = decode_episode(serialized, record.example_spec)
    example = write_example_query(episode, record.example_spec, output_dir / "example")
    if example is None:
        return
    options = ["--support", str(example.support), "--model", summary["pushed"]]
    click.echo(f"\n$ fewshot query {shlex.join(options)} {example.shell_words}")
    query.main([*options, "--", *example.queries], standalone_mode=False)
    base_path = Path(summary["pushed"]).parent
    served = f"--model-base-path {shlex.quote(str(base_path))} --model-name {base_path.name}"
    click.echo(f"\nTo try it in a browser: fewshot serve --ui {served}")
    click.echo("then open http://localhost:8501/")


def write_example_query(episode: Episode, spec: ExampleSpec, folder: Path) -> ExampleQuery | None:
    """Writes an episode as files to `folder`, in place of what is there.

    Returns:
      `support.csv` and texts, or `support/<class>/<n>.<suffix>` and `queries/<class>-<n>.<suffix>`;
      one query of each class. `None` where `fewshot query` cannot read such examples.
    """
    if not spec.has_encoded_form:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if spec.modality == "text":
        return _write_table(episode, folder)
    return _write_files(episode, spec, folder)


def _write_table(episode: Episode, folder: Path) -> ExampleQuery:
    path = folder / "support.csv"
    names = _names(episode)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *zip(episode.support_x, names)])
    numbers = _one_of_each_class(episode) if episode.query_y.dtype != object else range(3)
    queries = [str(episode.query_x[number]) for number in numbers]
    return ExampleQuery(path, queries, shlex.join(queries))


def _names(episode: Episode) -> list[str]:
    """The class or phrase of each support example."""
    if episode.support_y.dtype == object:
        return [phrase.decode() for phrase in episode.support_y]
    return [episode.class_names[label] for label in episode.support_y]


def _write_files(episode: Episode, spec: ExampleSpec, folder: Path) -> ExampleQuery:
    encode, suffix = encoder_for(spec), _SUFFIXES[spec.modality]
    assert encode is not None
    # A leading dot would hide the folder.
    names = [re.sub(r"/|^\.", "_", name) for name in episode.class_names]
    for number, (example, label) in enumerate(zip(episode.support_x, episode.support_y)):
        path = folder / "support" / names[label] / f"{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(example))
    (folder / "queries").mkdir()
    queries = []
    for number in _one_of_each_class(episode):
        path = folder / "queries" / f"{names[episode.query_y[number]]}-{number}.{suffix}"
        path.write_bytes(encode(episode.query_x[number]))
        queries.append(str(path))
    return ExampleQuery(
        folder / "support", sorted(queries), f"{shlex.quote(str(folder))}/queries/*"
    )


def _one_of_each_class(episode: Episode) -> list[int]:
    """The number of the first query of each class."""
    return np.unique(episode.query_y, return_index=True)[1].tolist()
