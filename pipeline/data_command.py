"""`fewshot data` and `fewshot init`: look at data, and write a configuration for your own."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.console import console_session, plain_console
from serving.errors import UserError
from serving.files.unreadable import printable

if TYPE_CHECKING:
    from components.episode_gen.inspection.base import Inspection
    from pipeline.config import Config

# What `inspect` and `init` may be told in place of a guess.
CHOICES = (
    click.option("--learner", help="Name of the learner: maml, protonet, anil, ..."),
    click.option("--ways", type=click.IntRange(2), help="N, classes in an episode."),
    click.option("--shots", type=click.IntRange(1), help="K, support examples of each class."),
    click.option("--queries", type=click.IntRange(1), help="Query examples of each class."),
    click.option("--text-column", help="Column of texts in a table."),
    click.option("--label-column", help="Column of classes in a table."),
    click.option("--group-column", help="Column of groups (speakers, domains) in a table."),
    click.option("--encoding", help="Text encoding of a table, as cp1252."),
    click.option(
        "--split-by",
        type=click.Choice(["class", "group", "given"]),
        help="Of folders in folders, or a table with groups: class pools the classes of all "
        "groups, group keeps each group in one split, given takes folders called train, val and "
        "test as the splits.",
    ),
)


def choices(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that replace guesses."""
    for option in reversed(CHOICES):
        command = option(command)
    return command


PATH = click.argument("path", type=click.Path(path_type=Path))
FILE = click.Path(path_type=Path, dir_okay=False)
SHEET = click.option(
    "--sheet",
    type=FILE,
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
@choices
@SHEET
@COUNT
def inspect(path: Path, sheet: Path, count: int, **given: Any) -> None:
    """Print the classes and sizes at PATH, unreadable and duplicate files; draw some episodes."""
    from components.options import build_options
    from pipeline.config import Config
    from pipeline.first_config import episode_examples, first_config, split_question
    from pipeline.left_out import print_names

    inspection = _look(path, given)
    console = plain_console(width=100)
    _print_inspection(console, inspection)
    if inspection.split_like and not given["split_by"]:
        console.print(f"Beware: {split_question(inspection.split_like)}", soft_wrap=True)
    shots, queries = episode_examples(inspection, given)
    small = inspection.too_small(shots, queries)
    print_names(console, f"Too few examples for {shots} shots + {queries} queries", small)
    values = first_config(inspection, given)
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

    _draw_sheet(plain_console(width=100), load_config(config_path, overrides), split, count, sheet)


@click.command()
@PATH
@choices
@click.option("--output", type=FILE, help="Default: <name of PATH>.yaml in this folder.")
@click.option(
    "--try",
    "compare",
    is_flag=True,
    help="Train the learners that suit the data for a short time each and write the best.",
)
@click.option(
    "--budget-minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Of --try: duration of all meta-training, shared evenly by the learners.",
)
def init(
    path: Path, output: Path | None, compare: bool, budget_minutes: float, **given: Any
) -> None:
    """Write a configuration that runs on the data at PATH."""
    from components.options import build_options
    from pipeline.config import Config, name_of
    from pipeline.first_config import (
        as_yaml,
        candidates,
        first_config,
        result_cautions,
        split_question,
    )
    from pipeline.first_rules import GAIN, OVER_ENCODER

    if compare and given["learner"]:
        raise UserError("`--try` chooses a learner: leave `--learner` out.")
    inspection = _look(path, given)
    console = plain_console(stderr=True, width=100)
    _print_inspection(console, inspection)
    if inspection.split_like and not given["split_by"]:
        raise UserError(split_question(inspection.split_like))
    values = first_config(inspection, given)
    output = output or Path(f"{name_of(path.resolve()).replace('-', '_')}.yaml")
    values["serving"] = {"model_name": name_of(output)}
    # Not `build_config`: the learner's module, which has its options, imports TensorFlow.
    build_options(Config, {"name": "init", **values}, "")
    if values["learner"]["backbone"] == OVER_ENCODER.backbone:
        console.print(GAIN, soft_wrap=True)
    for caution in result_cautions(values, inspection.split_like):
        console.print(f"Beware: {caution}", soft_wrap=True)
    if output.exists():
        raise UserError(f"`--output` must be a new file: {output} is there.")
    from pipeline.first_threshold import baseline_threshold

    values["evaluation"]["threshold"] = baseline_threshold(values)
    if compare:
        from pipeline.init_try import choose_learner

        learners = candidates(inspection, values)
        folder = Path("runs") / f"try-{name_of(output)}"
        with console_session("comparison", folder / "try.log"):
            best = choose_learner(
                values, learners, folder=folder, minutes=budget_minutes, console=console
            )
        values["learner"] = learners[best]
    try:
        with open(output, "x", encoding="utf-8") as file:
            file.write(as_yaml(values))
    except FileExistsError:
        raise UserError(f"`--output` must be a new file: {output} is there.") from None
    except OSError as error:
        raise UserError(f"`--output` must be writable: {output} ({error.strerror}).") from None
    click.echo(f"wrote {output}; run it with: fewshot run --config {output}")


def _look(path: Path, given: dict[str, Any]) -> "Inspection":
    from components.episode_gen.inspection import inspect as look

    return look(
        path,
        split_by=given["split_by"],
        input_feature=given["text_column"],
        label_feature=given["label_column"],
        group_feature=given["group_column"],
        encoding=given["encoding"],
    )


def _draw_sheet(console: Console, config: "Config", split: str, count: int, sheet: Path) -> None:
    """Prints what the source holds and draws the first episodes of a split."""
    from components.episode_gen.check import check_data
    from components.episode_gen.preview import describe, draw_episodes, summarise
    from components.episode_gen.sheet import save_sheet
    from components.modalities.pictures import HAVE_PICTURES
    from pipeline.left_out import print_left_out

    data = check_data(config.data, config.episodes)
    _print_facts(console, summarise(data))
    print_left_out(console, data)
    available = getattr(config.episodes.counts, split)
    if available < 1:
        raise UserError(f"`--split` must have episodes: `episodes.counts.{split}` is 0.")
    episodes = draw_episodes(data, config.episodes, split=split, count=min(count, available))
    if data.spec.modality in HAVE_PICTURES:
        save_sheet(episodes, data.spec, sheet)
        console.print(f"{len(episodes)} episodes of {split}: {sheet}", soft_wrap=True)
        return
    for line in (line for episode in episodes for line in describe(episode, data.spec)):
        console.print(printable(line), soft_wrap=True)


def _print_inspection(console: Console, inspection: "Inspection") -> None:
    from components.episode_gen.inspection.base import spread
    from pipeline.left_out import print_names, print_reasons

    sizes = list(inspection.class_sizes.values())
    facts = {"kind": inspection.kind, "classes": str(len(sizes)), "examples": str(sum(sizes))}
    _print_facts(console, facts | {"examples per class": spread(sizes)} | inspection.facts)
    smallest = sorted(inspection.class_sizes, key=lambda name: (inspection.class_sizes[name], name))
    if sizes and min(sizes) < max(sizes):
        few = [f"{name}: {inspection.class_sizes[name]}" for name in smallest[:5]]
        print_names(console, "Smallest classes", few)
    print_reasons(console, "Unreadable", inspection.unreadable)
    print_reasons(console, "Not read", inspection.ignored)
    equals = {name: f"equals {other}" for name, other in inspection.copies.items()}
    print_reasons(console, "Copies", equals)
    same = [" = ".join(group) for group in inspection.duplicates]
    print_names(console, "The same example in several classes", same)


def _print_facts(console: Console, facts: dict[str, str]) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in facts.items():
        table.add_row(name, Text(printable(value)))
    console.print(table)
