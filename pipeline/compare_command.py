"""`fewshot compare`: trains several learners alike and says which differences are real."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from components.errors import UserError


@click.command()
@click.option("--config", "config_path", required=True, help="YAML file of the configuration.")
@click.option("--set", "overrides", multiple=True, help="section.key=value, over the file.")
@click.option("--learners", required=True, help="Names, with commas: maml,anil,protonet.")
@click.option("--budget-minutes", type=float, help="Of meta-training, shared evenly by all.")
@click.option("--output-dir", type=click.Path(path_type=Path), help="Default: runs/compare-<name>.")
def compare(
    config_path: str,
    overrides: tuple[str, ...],
    learners: str,
    budget_minutes: float | None,
    output_dir: Path | None,
) -> None:
    """Train learners on the same episodes and budget, and test them on the same episodes."""
    names = checked_names(learners)
    if budget_minutes is not None and budget_minutes <= 0:
        raise UserError(f"`--budget-minutes` must be above 0; got {budget_minutes}.")

    from components.episode_gen.check import check_data
    from pipeline.config import build_config, load_config
    from pipeline.console import narrated

    config = load_config(config_path, overrides)
    folder = (output_dir or Path("runs") / f"compare-{config.name}").absolute()
    with narrated(folder / "compare.log"):
        check_data(config.data, config.episodes)
        from pipeline.compare import compare_learners, differences, learner_section

        for name in names:
            build_config({"name": config.name, "learner": learner_section(config, name)})
        seconds = None if budget_minutes is None else budget_minutes * 60 / len(names)
        entries = compare_learners(config, names, folder, seconds_each=seconds)
    tell(entries, differences(entries), folder)


def checked_names(learners: str) -> list[str]:
    """The names, each known and given once.

    Raises:
      UserError: one is unknown, or given twice, or there are fewer than two.
    """
    from components.meta_trainer.learners import TABLE

    names = [name.strip() for name in learners.split(",") if name.strip()]
    for name in names:
        if name not in TABLE:
            raise UserError(f"`--learners` must be of {', '.join(sorted(TABLE))}; got {name!r}.")
    if len(names) < 2 or len(set(names)) < len(names):
        raise UserError(f"`--learners` must be two or more different ones; got {learners!r}.")
    return names


def tell(entries: Sequence[Any], differences: Sequence[Any], folder: Path) -> None:
    """Prints the table and writes `compare.html` and `compare.json`."""
    import json

    from jinja2 import Environment, PackageLoader, select_autoescape
    from rich.console import Console
    from rich.table import Table

    columns = ("learner", "accuracy", "adapt", "size", "steps", "training")
    table = Table(*columns)
    for e in entries:
        table.add_row(
            e.learner,
            f"{e.accuracy.mean:.4f} ± {e.accuracy.half_width:.4f}",
            f"{e.adapt_milliseconds:.1f} ms",
            f"{e.megabytes:.1f} MB",
            str(e.steps),
            f"{e.episodes_per_second:.0f} episodes/s",
        )
    Console().print(table)
    for d in differences:
        verdict = "real" if d.real else "not told apart"
        gain = f"{d.gain.mean:+.4f} ± {d.gain.half_width:.4f}"
        click.echo(f"{d.better} - {d.worse}: {gain} ({verdict})")
    environment = Environment(
        loader=PackageLoader("pipeline", "templates"), autoescape=select_autoescape()
    )
    page = environment.get_template("compare.html").render(entries=entries, differences=differences)
    (folder / "compare.html").write_text(page)
    record = {
        "learners": [
            e._asdict() | {"scores": e.scores.tolist(), "accuracy": e.accuracy._asdict()}
            for e in entries
        ],
        "differences": [
            d._asdict() | {"gain": d.gain._asdict(), "real": d.real} for d in differences
        ],
    }
    (folder / "compare.json").write_text(json.dumps(record, indent=1))
    click.echo(f"report: {folder / 'compare.html'}")
