"""`fewshot data` and `fewshot init`: look at data, and write a configuration for your own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from serving.errors import UserError

if TYPE_CHECKING:
    from components.episode_gen.inspection.base import Inspection
    from pipeline.config import Config

LISTED = 20
"""Maximal number of names of a kind that are listed; the rest is counted."""

PATH = click.argument("path", type=click.Path(path_type=Path))
SHEET = click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("episodes.png"),
    show_default=True,
    help="File of the picture of episodes, for images and recordings; others are printed.",
)
COUNT = click.option("--count", default=3, show_default=True, type=click.IntRange(1, 50))


@click.group()
def data() -> None:
    """Look at class data and at the episodes drawn from them."""


@data.command()
@PATH
@click.option(
    "--ways", type=click.IntRange(2), help="N. By default it and the next two are guessed."
)
@click.option("--shots", type=click.IntRange(1), help="K, support examples of each class.")
@click.option("--queries", type=click.IntRange(1), help="Query examples of each class.")
@SHEET
@COUNT
def inspect(
    path: Path, ways: int | None, shots: int | None, queries: int | None, sheet: Path, count: int
) -> None:
    """Print the classes and sizes at PATH, unreadable and duplicate files; draw some episodes."""
    from components.episode_gen.inspection import inspect as look
    from components.options import build_options
    from pipeline.config import Config
    from pipeline.first_config import first_config

    inspection = look(path)
    console = Console(width=100)
    _print_inspection(console, inspection)
    values = first_config(inspection)
    given = {"ways": ways, "shots": shots, "queries": queries}
    values["episodes"] |= {name: value for name, value in given.items() if value}
    shape = values["episodes"]
    small = inspection.too_small(shape["shots"], shape["queries"])
    needed = f"{shape['shots']} shots + {shape['queries']} queries"
    _print_names(console, f"Too few examples for {needed}", small)
    if not small:
        config = build_options(Config, {"name": "inspect", **values}, "")
        _draw_sheet(console, config, "train", count, sheet)


@data.command()
@click.option("--config", "config_path", required=True, help="YAML file of the configuration.")
@click.option("--set", "overrides", multiple=True, help="section.key=value, over the file.")
@click.option(
    "--split", type=click.Choice(["train", "eval", "test"]), default="test", show_default=True
)
@SHEET
@COUNT
def show(config_path: str, overrides: tuple[str, ...], split: str, sheet: Path, count: int) -> None:
    """Print what the data of a configuration hold; draw episodes exactly as a run makes them."""
    from pipeline.config import load_config

    _draw_sheet(Console(width=100), load_config(config_path, overrides), split, count, sheet)


@click.command()
@PATH
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Default: <name of PATH>.yaml in this folder.",
)
def init(path: Path, output: Path | None) -> None:
    """Write a configuration that runs on the data at PATH."""
    from components.episode_gen.inspection import inspect as look
    from components.options import build_options
    from pipeline.config import Config, name_of
    from pipeline.first_config import as_yaml, first_config

    inspection = look(path)
    _print_inspection(Console(stderr=True, width=100), inspection)
    values = first_config(inspection)
    output = output or Path(f"{name_of(path.resolve()).replace('-', '_')}.yaml")
    values["serving"] = {"model_name": name_of(output)}
    # Not `build_config`: the learner's module, which has its options, imports TensorFlow.
    build_options(Config, {"name": "init", **values}, "")
    try:
        with open(output, "x", encoding="utf-8") as file:
            file.write(as_yaml(values))
    except FileExistsError:
        raise UserError(f"`--output` must be a new file: {output} is there.") from None
    except OSError as error:
        raise UserError(f"`--output` must be writable: {output} ({error.strerror}).") from None
    click.echo(f"wrote {output}; run it with: fewshot run --config {output}")


def _draw_sheet(console: Console, config: "Config", split: str, count: int, sheet: Path) -> None:
    """Prints what the source holds and draws the first episodes of a split."""
    from components.episode_gen.check import check_data
    from components.episode_gen.preview import describe, draw_episodes, summarise
    from components.episode_gen.sheet import save_sheet
    from components.modalities.pictures import HAVE_PICTURES

    data = check_data(config.data, config.episodes)
    _print_facts(console, summarise(data))
    _print_names(console, "Skipped", [f"{n}: {why}" for n, why in data.skipped.items()])
    available = getattr(config.episodes.counts, split)
    if available < 1:
        raise UserError(f"`--split` must have episodes: `episodes.counts.{split}` is 0.")
    episodes = draw_episodes(data, config.episodes, split=split, count=min(count, available))
    if data.spec.modality in HAVE_PICTURES:
        save_sheet(episodes, data.spec, sheet)
        console.print(f"{len(episodes)} episodes of {split}: {sheet}", highlight=False)
        return
    for line in (line for episode in episodes for line in describe(episode, data.spec)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _print_inspection(console: Console, inspection: "Inspection") -> None:
    from components.episode_gen.inspection.base import spread

    sizes = list(inspection.class_sizes.values())
    facts = {
        "kind": inspection.kind,
        "classes": str(len(sizes)),
        "examples": str(sum(sizes)),
        "examples per class": spread(sizes),
    }
    _print_facts(console, facts | inspection.facts)
    smallest = sorted(inspection.class_sizes, key=lambda name: (inspection.class_sizes[name], name))
    if sizes and min(sizes) < max(sizes):
        few = [f"{name}: {inspection.class_sizes[name]}" for name in smallest[:5]]
        _print_names(console, "Smallest classes", few)
    _print_names(console, "Unreadable", [f"{n}: {why}" for n, why in inspection.unreadable.items()])
    _print_names(
        console,
        "The same example in several classes",
        [" = ".join(g) for g in inspection.duplicates],
    )


def _print_facts(console: Console, facts: dict[str, str]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in facts.items():
        table.add_row(name, value)
    console.print(table, highlight=False, markup=False)


def _print_names(console: Console, title: str, names: list[str]) -> None:
    if not names:
        return
    console.print(f"{title} ({len(names)}):", highlight=False, markup=False)
    for name in names[:LISTED]:
        console.print(f"  {name}", highlight=False, markup=False, soft_wrap=True)
    if len(names) > LISTED:
        console.print(f"  and {len(names) - LISTED} more", highlight=False)
