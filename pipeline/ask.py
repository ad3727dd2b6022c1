"""Ends a run by asking the pushed model about classes that it has never seen."""

import shutil
from pathlib import Path
from typing import Any

import click
from PIL import Image

from components.episodes.dataset import read_split
from components.episodes.format import Episode, decode_episode
from components.episodes.record import read_record
from pipeline.summary import latest_outputs

QUERIES_PER_CLASS = 1


def ask_about_unseen_classes(output_dir: Path, summary: dict[str, Any]) -> None:
    """Writes the first test episode as picture files and has `fewshot query` classify them.

    The files stay in `ask/`, for the reader to look at and to try again.
    """
    from serving.client.command import query

    examples = latest_outputs(output_dir / "metadata.sqlite", summary["config"]["name"])["examples"]
    record = read_record(examples.uri)
    if record.example_spec.modality != "image" or record.example_spec.regression:
        return
    serialized = next(iter(read_split(examples.uri, "test").as_numpy_iterator()))
    files = write_files(decode_episode(serialized, record.example_spec), output_dir / "ask")
    arguments = ["--support", str(output_dir / "ask" / "support"), "--model", summary["pushed"]]
    shown = [str(file) for file in files]
    click.echo(f"\n$ fewshot query {' '.join(arguments)} {output_dir / 'ask' / 'queries'}/*")
    query.main([*arguments, *shown], standalone_mode=False)


def write_files(episode: Episode, folder: Path) -> list[Path]:
    """Writes `support/<class>/<n>.png` and `queries/<class>-<n>.png`; returns the queries."""
    shutil.rmtree(folder, ignore_errors=True)
    for number, (pixels, label) in enumerate(zip(episode.support_x, episode.support_y)):
        path = folder / "support" / _file_name(episode.class_names[label]) / f"{number}.png"
        _write(pixels, path)
    queries: list[Path] = []
    for number, (pixels, label) in enumerate(zip(episode.query_x, episode.query_y)):
        name = _file_name(episode.class_names[label])
        if sum(path.name.startswith(f"{name}-") for path in queries) < QUERIES_PER_CLASS:
            queries.append(folder / "queries" / f"{name}-{number}.png")
            _write(pixels, queries[-1])
    return sorted(queries)


def _write(pixels: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path)


def _file_name(class_name: str) -> str:
    return class_name.replace("/", "_")
