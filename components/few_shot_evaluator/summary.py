"""From the results of all episodes to `metrics.json`: what every type of task has."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.blessing import judge
from components.few_shot_evaluator.metrics import Interval, mean_interval
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.scoring import EpisodeResult
from components.tasks.lookup import task_of
from components.tasks.task import Task

NO_ADAPTATION = "no_adaptation"
"""The baseline that only a model that shows its inner steps has: itself, before the first."""


class Terms(NamedTuple):
    """What a verdict depends on beside the results.

    Attributes:
      record: of the episodes.
      options: how the model is judged.
      protocol: as the model states it.
      last_blessed: `{"uri": ...}` of the last blessed model, with the reason `not_comparable` where
        it could not be asked about the same episodes; `None` if there is none.
    """

    record: EpisodeSetRecord
    options: EvaluationOptions
    protocol: str | None
    last_blessed: dict[str, Any] | None


def summarise(results: Sequence[EpisodeResult], terms: Terms) -> dict[str, Any]:
    """The numbers of an evaluation that every type of task has, and the verdict.

    Args:
      results: one an episode, sorted by index.
      terms: what else the verdict depends on.

    Returns:
      The content of `metrics.json`, ready for JSON, METRIC the name of the task's metric:
      METRIC, ci95: mean over episodes and its 95% half-width.
      episodes, ways, shots, queries: queries are per class, as in the configuration.
      protocol: "inductive" or "transductive"; `None` if the model does not say.
      baselines: `{name: METRIC}`; without adaptation only if the model shows its inner steps.
      per_step: `[METRIC]` before and after each inner step, or `[]`.
      per_shots: `{shots: METRIC}`.
      curve_episodes: of how many episodes these two and the baseline without adaptation speak.
      half_widths: the 95% half-widths of baselines, per_step and per_shots.
      threshold, tolerance, blessed, reasons: the rule and what came of it.
      baseline_model: uri, METRIC, ci95, difference and difference_ci95 (paired) of the last
        blessed model, or why it is not comparable; `None` if there is none.
      splits_hash: of the class lists.
    """
    task = task_of(terms.record.example_spec)
    score = mean_interval([result.score for result in results])
    compared, difference = _compare(results, terms.last_blessed, task)
    in_curves = [result.per_shots for result in results if result.per_shots is not None]
    shots = {k: mean_interval([one[k] for one in in_curves]) for k in next(iter(in_curves), {})}
    paths = [result.per_step for result in results if result.per_step is not None]
    steps = [mean_interval(of_step) for of_step in zip(*paths)]
    beaten = {
        name: mean_interval([result.baselines[name] for result in results])
        for name in results[0].baselines
    }
    if steps:
        beaten[NO_ADAPTATION] = steps[0]
    verdict = judge(
        accuracy=score,
        episodes=len(results),
        protocol=terms.protocol,
        unanswered=sum(result.unanswered for result in results),
        difference=difference,
        options=terms.options,
        task=task,
    )
    return {
        task.metric: rounded(score.mean),
        "ci95": rounded(score.half_width),
        "episodes": len(results),
        "ways": terms.record.ways,
        "shots": terms.record.shots,
        "queries": terms.record.queries,
        "protocol": terms.protocol,
        "baselines": dict(zip(beaten, _means(beaten.values()))),
        "per_step": _means(steps),
        "per_shots": dict(zip(shots, _means(shots.values()))),
        "curve_episodes": len(in_curves),
        "half_widths": {
            "baselines": dict(zip(beaten, _half_widths(beaten.values()))),
            "per_step": _half_widths(steps),
            "per_shots": dict(zip(shots, _half_widths(shots.values()))),
        },
        "threshold": terms.options.threshold,
        "tolerance": terms.options.tolerance,
        "blessed": verdict.blessed,
        "reasons": verdict.reasons,
        "baseline_model": compared,
        "splits_hash": terms.record.splits_hash,
    }


def rounded(number: float) -> float:
    """What a file holds of a number."""
    return round(number, 6)


def _compare(
    results: Sequence[EpisodeResult], last_blessed: dict[str, Any] | None, task: Task
) -> tuple[dict[str, Any] | None, Interval | None]:
    """What `metrics.json` says of the last blessed model, and the paired difference to it."""
    if last_blessed is None or "not_comparable" in last_blessed:
        return last_blessed, None
    before = np.array([result.last_blessed for result in results], np.float64)
    own = np.array([result.score for result in results])
    theirs, difference = mean_interval(before), mean_interval(own - before)
    return last_blessed | {
        task.metric: rounded(theirs.mean),
        "ci95": rounded(theirs.half_width),
        "difference": rounded(difference.mean),
        "difference_ci95": rounded(difference.half_width),
    }, difference


def _means(intervals: Iterable[Interval]) -> list[float]:
    return [rounded(one.mean) for one in intervals]


def _half_widths(intervals: Iterable[Interval]) -> list[float]:
    return [rounded(one.half_width) for one in intervals]
