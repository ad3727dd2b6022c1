"""Runs a comparison: generates the episodes once, and meta-trains each candidate on them."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from rich.console import Console

from components.episode_gen.check import check_data
from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import EpisodeGenConfig
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.metrics import mean_interval
from components.meta_trainer.build import assemble
from pipeline.compare.trial import Result, plan_trial, read_result, run_trial
from pipeline.config import Config
from pipeline.console import bold
from pipeline.left_out import print_left_out


def run_trials(
    candidates: Mapping[str, Config], folder: Path, seconds: float | None, console: Console
) -> list[Result]:
    """Generates the episodes and runs each candidate's trial, or reads an earlier run's result.

    Args:
      candidates: configurations by a name of their own; all have the same data and episodes.
      folder: where episodes, models and results are kept, for a comparison that is continued.
      seconds: maximum duration of each one's meta-training; None for that of its configuration.
      console: where progress is printed.

    Returns:
      The results in the order of the candidates; `differences.ranked` sorts them.

    Raises:
      UserError: the data or a learner cannot be used with its configuration.
    """
    config = next(iter(candidates.values()))
    print_left_out(console, check_data(config.data, config.episodes))
    console.print(bold("episodes", " ..."))
    uri = str(folder / "episodes")
    record = make_episodes(config, uri)
    for one in candidates.values():  # one that does not fit is refused before any trains
        assemble(record, one.learner)
    results = []
    for number, (name, one) in enumerate(candidates.items(), start=1):
        trial = plan_trial(name, one, record, uri=uri, folder=folder, seconds=seconds)
        limit = f"{one.training.steps} steps"
        limit += "" if seconds is None else f" or {seconds:.0f} s"
        console.print(bold(name, f" ({number} of {len(candidates)}), {limit} ..."))
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


def make_episodes(config: Config, uri: str) -> EpisodeSetRecord:
    """Generates the episodes anew: that is quicker than checking that they are the same."""
    shutil.rmtree(uri, ignore_errors=True)
    options = PipelineOptions(config.beam.pipeline_args())
    return generate_episodes(
        EpisodeGenConfig(config.data, config.episodes),
        uri=uri,
        work=f"{uri}/.work",
        make_pipeline=lambda: beam.Pipeline(options=options),
    )
