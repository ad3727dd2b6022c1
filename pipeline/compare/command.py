"""The command line of a comparison: check everything, run the trials, print the results."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from components.single_threaded import use_single_threaded_operations
from serving.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from components.episodes.record import EpisodeSetRecord
    from pipeline.compare.trial import Result
    from pipeline.config import Config


@click.command()
@click.option("--config", "config_path", required=True, help="YAML file of the configuration.")
@click.option("--set", "overrides", multiple=True, help="section.key=value, over the file.")
@click.option("--learners", required=True, help="Names, separated by commas: maml,anil,protonet.")
@click.option(
    "--budget-minutes",
    type=float,
    help="Duration of all meta-training, shared evenly by the learners. Default: as configured.",
)
@click.option("--output-dir", type=click.Path(path_type=Path), help="Default: runs/compare-<name>.")
def compare(
    config_path: str,
    overrides: tuple[str, ...],
    learners: str,
    budget_minutes: float | None,
    output_dir: Path | None,
) -> None:
    """Train learners on the same episodes and budget, and test them on the same episodes.

    A comparison that was killed continues when it is started again: finished learners are not
    trained again. Exit status: 0 compared, 1 failed, 2 wrong input.
    """
    names = parse_names(learners)
    if budget_minutes is not None and not budget_minutes > 0:
        raise UserError(f"`--budget-minutes` must be above 0; got {budget_minutes:g}.")

    from pipeline.config import build_config, load_config
    from pipeline.console import console_session, plain_console

    config = load_config(config_path, overrides)
    use_single_threaded_operations()
    folder = (output_dir or Path("runs") / f"compare-{config.name}").absolute()
    seconds = None if budget_minutes is None else budget_minutes * 60 / len(names)
    with console_session("comparison", folder / "compare.log"):
        from pipeline.compare.trial import learner_section

        for name in names:
            build_config({"name": config.name, "learner": learner_section(config, name)})
        results = run_trials(config, names, folder, seconds, plain_console(stderr=True))
    print_results(results, folder, config)


def parse_names(learners: str) -> list[str]:
    """The names of `--learners`, each known and given once.

    Raises:
      UserError: one is unknown, or given twice, or there are fewer than two.
    """
    from components import user_modules
    from components.meta_trainer.learners import TABLE

    names = [name.strip() for name in learners.split(",") if name.strip()]
    for name in names:
        if name not in TABLE and not user_modules.is_own(name):
            raise UserError(f"`--learners` must be of {', '.join(sorted(TABLE))}; got {name!r}.")
    if len(names) < 2 or len(set(names)) < len(names):
        raise UserError(f"`--learners` must be two or more different ones; got {learners!r}.")
    return names


def run_trials(
    config: "Config", names: list[str], folder: Path, seconds: float | None, console: "Console"
) -> list["Result"]:
    """Generates the episodes and runs each learner's trial, or reads the result of an earlier run.

    Raises:
      UserError: the data or a learner cannot be used with this configuration.
    """
    from components.episode_gen.check import check_data
    from components.few_shot_evaluator.metrics import mean_interval
    from components.meta_trainer.build import assemble
    from pipeline.compare.trial import learner_section, plan_trial, read_result, run_trial
    from pipeline.console import bold
    from pipeline.left_out import print_left_out

    print_left_out(console, check_data(config.data, config.episodes))
    console.print(bold("episodes", " ..."))
    uri = str(folder / "episodes")
    record = make_episodes(config, uri)
    for name in names:  # a learner that does not fit these episodes is refused before any trains
        assemble(record, learner_section(config, name))
    results = []
    for number, name in enumerate(names, start=1):
        trial = plan_trial(config, name, record, uri=uri, folder=folder, seconds=seconds)
        limit = f"{config.training.steps} steps"
        limit += "" if seconds is None else f" or {seconds:.0f} s"
        console.print(bold(name, f" ({number} of {len(names)}), {limit} ..."))
        result = read_result(trial)
        state = "done before" if result else "done"
        result = result or run_trial(trial)
        score = mean_interval(result.scores)
        console.print(
            f"  {state}: {result.steps} steps in {result.seconds:.0f} s, "
            f"{result.metric.replace('_', ' ')} {score.mean:.4f} ± {score.half_width:.4f}"
        )
        results.append(result)
    return results


def make_episodes(config: "Config", uri: str) -> "EpisodeSetRecord":
    """Generates the episodes anew: that is quicker than checking that they are the same."""
    import shutil

    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from components.episode_gen.generate import generate_episodes
    from components.episode_gen.options import EpisodeGenConfig

    shutil.rmtree(uri, ignore_errors=True)
    options = PipelineOptions(config.beam.pipeline_args())
    return generate_episodes(
        EpisodeGenConfig(config.data, config.episodes),
        uri=uri,
        work=f"{uri}/.work",
        make_pipeline=lambda: beam.Pipeline(options=options),
    )


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
