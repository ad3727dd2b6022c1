"""Ends a run by asking the pushed model about classes that it has never seen."""

import csv
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
from pipeline.summary import latest_outputs

_SUFFIXES = {"image": "png", "audio": "wav"}


class Question(NamedTuple):
    """What `fewshot query` is asked.

    Attributes:
      support: a folder or a table.
      queries: files, or texts.
      shown: the queries as one would type them.
    """

    support: Path
    queries: list[str]
    shown: str


def ask_about_unseen_classes(output_dir: Path, summary: dict[str, Any]) -> None:
    """Writes the first test episode as a user has it and has `fewshot query` classify it.

    The files stay in `ask/`, for the reader to look at and to try again. Nothing happens for
    regression, and for examples that have no form of their own as a file or a text.
    """
    from serving.client.command import query

    examples = latest_outputs(output_dir / "metadata.sqlite", summary["config"]["name"])["examples"]
    record = read_record(examples.uri)
    serialized = next(iter(read_split(examples.uri, "test").as_numpy_iterator()))
    episode = decode_episode(serialized, record.example_spec)
    question = write_question(episode, record.example_spec, output_dir / "ask")
    if question is None:
        return
    options = ["--support", str(question.support), "--model", summary["pushed"]]
    click.echo(f"\n$ fewshot query {shlex.join(options)} {question.shown}")
    query.main([*options, "--", *question.queries], standalone_mode=False)


def write_question(episode: Episode, spec: ExampleSpec, folder: Path) -> Question | None:
    """Writes an episode anew to `folder`.

    Returns:
      `support.csv` and texts, or `support/<class>/<n>.<suffix>` and `queries/<class>-<n>.<suffix>`;
      one query of each class. `None` where `fewshot query` has no way to ask.
    """
    if spec.regression or encoder_for(spec) is None:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if spec.modality == "text":
        return _write_table(episode, folder)
    return _write_files(episode, spec, folder)


def _write_table(episode: Episode, folder: Path) -> Question:
    path = folder / "support.csv"
    names = [episode.class_names[label] for label in episode.support_y]
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *zip(episode.support_x, names)])
    queries = [str(episode.query_x[number]) for number in _one_of_each_class(episode)]
    return Question(path, queries, shlex.join(queries))


def _write_files(episode: Episode, spec: ExampleSpec, folder: Path) -> Question:
    encode, suffix = encoder_for(spec), _SUFFIXES[spec.modality]
    assert encode is not None
    names = [name.replace("/", "_") for name in episode.class_names]
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
    return Question(folder / "support", sorted(queries), f"{shlex.quote(str(folder))}/queries/*")


def _one_of_each_class(episode: Episode) -> list[int]:
    """The number of the first query of each class."""
    _, first = np.unique(episode.query_y, return_index=True)
    return first.tolist()
