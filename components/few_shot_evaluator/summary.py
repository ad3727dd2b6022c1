"""From the results of all episodes to `metrics.json`: the numbers that others read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator import baselines, domains
from components.few_shot_evaluator.blessing import judge
from components.few_shot_evaluator.metrics import Interval, calibration, mean_interval
from components.few_shot_evaluator.none_of_these import calibrated, gathered, judged
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.scoring import EpisodeResult
from components.few_shot_evaluator.task_types import NO_ANSWER


def summarise(
    results: Sequence[EpisodeResult],
    *,
    record: EpisodeSetRecord,
    options: EvaluationOptions,
    protocol: str | None,
    last_blessed: dict[str, Any] | None,
    validation: Sequence[EpisodeResult] = (),
) -> dict[str, Any]:
    """All numbers of an evaluation, and the verdict.

    Args:
      results: one an episode, sorted by index.
      record: of the episodes.
      options: how the model is judged.
      protocol: as the model states it.
      last_blessed: `{"uri": ...}` of the last blessed model, with the reason `not_comparable` where
        it could not be asked about the same episodes; `None` if there is none.
      validation: the same of the episodes of `eval`; empty where nothing is asked of them.

    Returns:
      The content of `metrics.json`, ready for JSON:
      accuracy, ci95: mean over episodes and its 95% half-width.
      episodes, ways, shots, queries: queries are per class, as in the configuration.
      protocol: "inductive" or "transductive"; `None` if the model does not say.
      baselines: `{name: accuracy}`; without adaptation only if the model shows its inner steps.
      per_step: `[accuracy]` before and after each inner step, or `[]`.
      per_shots: `{shots: accuracy}`.
      curve_episodes: of how many episodes these two and the baseline without adaptation speak.
      half_widths: the 95% half-widths of baselines, per_step and per_shots.
      calibration: the expected calibration error and its bins.
      threshold, tolerance, blessed, reasons: the rule and what came of it.
      baseline_model: uri, accuracy, ci95, difference and difference_ci95 (paired) of the last
        blessed model, or why it is not comparable; `None` if there is none.
      splits_hash: of the class lists.
      per_group: `{group: {accuracy, ci95, episodes}}`, of the queries of that group's classes.
      within_domain: where `eval` is of new classes of the domains of meta-training and `test` of
        new domains: accuracy, ci95, episodes and per_group of `eval`; drop and drop_ci95, how far
        the accuracy falls from there to new domains. Else `None`.
      none_of_these: see `none_of_these.judged`; `None` unless the options ask for it.
      worst_episodes: `[{index, accuracy}]`, worst first.
    """
    accuracy = mean_interval([result.score for result in results])
    compared, difference = _compare(results, last_blessed)
    in_curves = [result.per_shots for result in results if result.per_shots is not None]
    shots = {k: mean_interval([of_shots[k] for of_shots in in_curves]) for k in in_curves[0]}
    steps = _means([result.per_step for result in results if result.per_step is not None])
    beaten = {baselines.NEAREST_CENTROID: mean_interval([r.nearest_centroid for r in results])}
    if steps:
        beaten[baselines.NO_ADAPTATION] = steps[0]
    verdict = judge(
        accuracy=accuracy,
        episodes=len(results),
        protocol=protocol,
        unanswered=sum(r.predictions.count(NO_ANSWER) for r in results),
        difference=difference,
        options=options,
    )
    return {
        "accuracy": _round(accuracy.mean),
        "ci95": _round(accuracy.half_width),
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
        "calibration": _calibration(results, options.calibration_bins),
        "threshold": options.threshold,
        "tolerance": options.tolerance,
        "blessed": verdict.blessed,
        "reasons": verdict.reasons,
        "baseline_model": compared,
        "splits_hash": record.splits_hash,
        "per_group": domains.per_group([result.groups for result in results]),
        "within_domain": _within_domain(validation, results)
        if domains.has_new_domains(record)
        else None,
        "none_of_these": _none_of_these(validation, results) if options.none_of_these else None,
        "worst_episodes": [
            {"index": result.index, "accuracy": _round(result.score)}
            for result in worst(results, options.worst_episodes)
        ],
    }


def _within_domain(
    validation: Sequence[EpisodeResult], results: Sequence[EpisodeResult]
) -> dict[str, Any]:
    accuracies = [[result.score for result in of_split] for of_split in (validation, results)]
    return domains.drop(*accuracies) | {
        "per_group": domains.per_group([result.groups for result in validation])
    }


def _none_of_these(
    validation: Sequence[EpisodeResult], results: Sequence[EpisodeResult]
) -> dict[str, Any]:
    calibration_set, test_set = (
        gathered([result.open_set for result in of_split if result.open_set is not None])
        for of_split in (validation, results)
    )
    return judged(test_set, calibrated(calibration_set))


def worst(results: Sequence[EpisodeResult], number: int) -> list[EpisodeResult]:
    """The least accurate episodes, worst first, ties by index."""
    return sorted(results, key=lambda result: (result.score, result.index))[:number]


def _compare(
    results: Sequence[EpisodeResult], last_blessed: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, Interval | None]:
    """What `metrics.json` says of the last blessed model, and the paired difference to it."""
    if last_blessed is None or "not_comparable" in last_blessed:
        return last_blessed, None
    before = np.array([result.last_blessed for result in results], np.float64)
    own = np.array([result.score for result in results])
    theirs, difference = mean_interval(before), mean_interval(own - before)
    return last_blessed | {
        "accuracy": _round(theirs.mean),
        "ci95": _round(theirs.half_width),
        "difference": _round(difference.mean),
        "difference_ci95": _round(difference.half_width),
    }, difference


def _means(per_step: list[list[float]]) -> list[Interval]:
    """The interval of each inner step; `[]` for a model that does not show them."""
    return [mean_interval(column) for column in zip(*per_step)]


def _calibration(results: Sequence[EpisodeResult], bins: int) -> dict[str, Any]:
    labels, predictions, confidences = (
        np.concatenate([getattr(result, name) for result in results])
        for name in ("labels", "predictions", "confidences")
    )
    return calibration(confidences, labels == predictions, bins=bins).to_json()


def _round(number: float) -> float:
    return round(number, 6)
