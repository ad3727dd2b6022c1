"""From the results of all episodes to `metrics.json`, for regression."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.blessing import judge
from components.few_shot_evaluator.metrics import Interval, mean_interval
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.regression import baselines
from components.few_shot_evaluator.regression.scoring import RegressionResult
from components.few_shot_evaluator.task_types import REGRESSION


def summarise(
    results: Sequence[RegressionResult],
    *,
    record: EpisodeSetRecord,
    options: EvaluationOptions,
    protocol: str | None,
    last_blessed: dict[str, Any] | None,
    **of_classes: Any,
) -> dict[str, Any]:
    """All numbers of an evaluation, and the verdict.

    Args:
      results: one an episode, sorted by index.
      record: of the episodes.
      options: how the model is judged; the threshold is the mean squared error that the *upper* end
        of the 95% interval must not exceed.
      protocol: as the model states it.
      last_blessed: as in `summary.summarise`.
      **of_classes: what only classes have, such as the results of new domains; not used.

    Returns:
      As `summary.summarise`, with `mean_squared_error` in place of `accuracy`, of which lower is
      better, and without what only classes have (calibration, groups); `metric` names it.
    """
    del of_classes
    error = mean_interval([result.score for result in results])
    compared, difference = _compare(results, last_blessed)
    in_curves = [result for result in results if result.per_shots is not None]
    shots = {
        k: mean_interval([(result.per_shots or {})[k] for result in in_curves])
        for k in (in_curves[0].per_shots or {} if in_curves else {})
    }
    paths = [result.per_step for result in results if result.per_step is not None]
    steps = [mean_interval(column) for column in zip(*paths)]
    beaten = {
        name: mean_interval([result.baselines[name] for result in results])
        for name in results[0].baselines
    }
    if steps:
        beaten[baselines.NO_ADAPTATION] = steps[0]
    verdict = judge(
        accuracy=error,
        episodes=len(results),
        protocol=protocol,
        unanswered=sum(result.unanswered for result in results),
        difference=difference,
        options=options,
        task=REGRESSION,
    )
    return {
        "metric": REGRESSION.metric,
        REGRESSION.metric: _round(error.mean),
        "ci95": _round(error.half_width),
        "episodes": len(results),
        "ways": record.ways,
        "shots": record.shots,
        "queries": record.queries,
        "protocol": protocol,
        "baselines": {name: _round(one.mean) for name, one in beaten.items()},
        "per_step": [_round(one.mean) for one in steps],
        "per_shots": {k: _round(one.mean) for k, one in shots.items()},
        "curve_episodes": len(in_curves),
        "half_widths": {
            "baselines": {name: _round(one.half_width) for name, one in beaten.items()},
            "per_step": [_round(one.half_width) for one in steps],
            "per_shots": {k: _round(one.half_width) for k, one in shots.items()},
        },
        "threshold": options.threshold,
        "tolerance": options.tolerance,
        "blessed": verdict.blessed,
        "reasons": verdict.reasons,
        "baseline_model": compared,
        "splits_hash": record.splits_hash,
    }


def _compare(
    results: Sequence[RegressionResult], last_blessed: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, Interval | None]:
    """What `metrics.json` says of the last blessed model, and the paired difference to it."""
    if last_blessed is None or "not_comparable" in last_blessed:
        return last_blessed, None
    before = np.array([result.last_blessed for result in results], np.float64)
    own = np.array([result.score for result in results])
    theirs, difference = mean_interval(before), mean_interval(own - before)
    return last_blessed | {
        REGRESSION.metric: _round(theirs.mean),
        "ci95": _round(theirs.half_width),
        "difference": _round(difference.mean),
        "difference_ci95": _round(difference.half_width),
    }, difference


def _round(number: float) -> float:
    return round(number, 6)
