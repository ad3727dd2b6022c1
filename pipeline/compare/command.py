"""The command line of a comparison: check everything, run the trials, print the results."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from components.single_threaded import use_single_threaded_operations
from serving.errors import UserError

if TYPE_CHECKING:
    from pipeline.compare.trial import Result
    from pipeline.config import Config


@click.command()
@click.option("--config", "config_path", required=True, help="YAML file of the configuration.")
@click.option("--set", "overrides", multiple=True, help="section.key=value, over the file.")
@click.option("--learners", default="", help="Names, separated by commas: maml,anil,protonet.")
@click.option(
    "--grid",
    multiple=True,
    help="section.key=value,value: a trial for each; several options make a product.",
)
@click.option(
    "--budget-minutes",
    type=float,
    help="Duration of all meta-training, shared evenly by the trials. Default: as configured.",
)
@click.option("--output-dir", type=click.Path(path_type=Path), help="Default: runs/compare-<name>.")
def compare(
    config_path: str,
    overrides: tuple[str, ...],
    learners: str,
    grid: tuple[str, ...],
    budget_minutes: float | None,
    output_dir: Path | None,
) -> None:
    """Train learners on the same episodes and budget, and test them on the same episodes.

    Several learners, or one with several values of its options, or both. A comparison that was
    killed continues when it is started again: finished trials are not run again. Exit status: 0
    compared, 1 failed, 2 wrong input.
    """
    names = parse_names(learners)
    if budget_minutes is not None and not budget_minutes > 0:
        raise UserError(f"`--budget-minutes` must be above 0; got {budget_minutes:g}.")

    from pipeline.config import load_config
    from pipeline.console import console_session, plain_console
    from pipeline.start_from import with_start_folder

    config = with_start_folder(load_config(config_path, overrides))
    config.beam.check_machine()
    use_single_threaded_operations()
    folder = (output_dir or Path("runs") / f"compare-{config.name}").absolute()
    with console_session("comparison", folder / "compare.log"):
        from pipeline.compare.comparison import run_trials
        from pipeline.compare.grid import candidates

        tried = candidates(config, names, grid)
        seconds = None if budget_minutes is None else budget_minutes * 60 / len(tried)
        results = run_trials(tried, folder, seconds, plain_console(stderr=True))
    print_results(results, folder, config)


def parse_names(learners: str) -> list[str]:
    """The names of `--learners`, each known and given once.

    Raises:
      UserError: one is unknown or given twice.
    """
    from components import user_modules
    from components.meta_trainer.learners import TABLE

    names = [name.strip() for name in learners.split(",") if name.strip()]
    for name in names:
        if name not in TABLE and not user_modules.is_own(name):
            raise UserError(f"`--learners` must be of {', '.join(sorted(TABLE))}; got {name!r}.")
    if len(set(names)) < len(names):
        raise UserError(f"`--learners` must be different ones; got {learners!r}.")
    return names


def print_results(results: list["Result"], folder: Path, config: "Config") -> None:
    """Prints the table and the conclusions; writes the report."""
    from pipeline.compare.differences import differences, level_of_each, ranked, verdict
    from pipeline.compare.report import difference_line, serving_line, table, write_report
    from pipeline.console import plain_console

    page = write_report(results, folder, config.to_dict())
    pairs = differences(results)
    console = plain_console()
    console.print(table(results))
    level = f"{100 * level_of_each(len(pairs)):.2f}%"
    lines = [
        *map(serving_line, ranked(results)),
        "",
        f"Paired differences ({level} intervals, so that all hold together with 95%; they are "
        "differences of these trained models, which vary with the seed of training):",
        *map(difference_line, pairs),
        "",
        verdict(results, pairs),
        f"report: {page}",
    ]
    for line in lines:
        console.print(line, soft_wrap=True)
