"""From the results of all episodes to `metrics.json`: what every task type has."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.blessing import Comparison, decide
from components.few_shot_evaluator.clusters import cluster_interval
from components.few_shot_evaluator.metrics import Interval, mean_interval
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.scoring import EpisodeResult
from components.tasks.lookup import task_of
from components.tasks.task import Task

NO_ADAPTATION = "no_adaptation"
"""Baseline of a model that shows its inner steps: itself, before the first step, unless it starts
from the support set."""


class EvaluationContext(NamedTuple):
    """What metrics and verdict depend on beside the results.

    `last_blessed` is `{"uri": ...}` of the last blessed model, with the reason `not_comparable`
    where it could not be run on the same episodes; `None` if there is none.
    """

    record: EpisodeSetRecord
    options: EvaluationOptions
    protocol: str | None  # "inductive" or "transductive", if the model's metadata say it
    last_blessed: dict[str, Any] | None
    temperature: float = 1.0  # that the model divides its logits by
    starts_from_support: bool = False  # what the model predicts before its first inner step
    none_threshold: float | None = None  # above which `none_score` is "none", if the model has it


def summarise(
    results: Sequence[EpisodeResult], context: EvaluationContext, words: Mapping[str, str]
) -> dict[str, Any]:
    """The metrics that every task type has, and the verdict; results are sorted by index.

    `words` are a person's words for each baseline, by name.

    Returns:
      The content of `metrics.json`, ready for JSON, METRIC being "accuracy" or
      "mean_squared_error":
      METRIC, ci95: mean over episodes and its 95% half-width.
      ci95_by_class, ci95_by_group: the same over classes, and over groups where the split is by
        group (`clusters.cluster_interval`); `None` where there are too few.
      episodes, ways, shots, queries: queries are per class, as in the configuration.
      protocol: "inductive" or "transductive"; `None` if the model does not say.
      baselines: `{name: METRIC}`; without adaptation only if the model shows its inner steps
        and does not start from the support set.
      baseline_differences: `{name: {words, difference, ci95, episodes}}`, the model's METRIC less
        the baseline's on the same episodes (paired), and ahead: whether the interval is on the
        better side of 0.
      best_baseline: name of the baseline with the best METRIC.
      per_step: `[METRIC]` before and after each inner step, or `[]`.
      per_shots: `{shots: METRIC}`.
      curve_episodes: number of episodes of these two and the baseline without adaptation.
      half_widths: the 95% half-widths of baselines, per_step and per_shots.
      threshold, tolerance, blessed, reasons: the rule and the verdict.
      baseline_model: uri, METRIC, ci95, difference and difference_ci95 (paired) of the last
        blessed model, or why it is not comparable; `None` if there is none.
      splits_hash: hash of the class lists.
    """
    task = task_of(context.record.example_spec)
    score = mean_interval([result.score for result in results])
    by_class, by_group = _of_units(results, context.record)
    widest = context.options.threshold_interval == "widest"
    compared, difference = _compare(results, context.last_blessed, task)
    in_curves = [result.per_shots for result in results if result.per_shots is not None]
    shots = {k: mean_interval([one[k] for one in in_curves]) for k in next(iter(in_curves), {})}
    paths = [result.per_step for result in results if result.per_step is not None]
    steps = [mean_interval(of_step) for of_step in zip(*paths)]
    words = {**words, NO_ADAPTATION: "itself without adaptation"}
    comparisons = _with_baselines(results, words, itself=not context.starts_from_support)
    baselines = {name: one.baseline for name, one in comparisons.items()}
    better = 1.0 if task.higher_is_better else -1.0
    # A classifier's head may begin at the means of the support set's classes: before its first
    # step it is no script that learns nothing, but most of the model.
    not_held = {NO_ADAPTATION} if task.classes else set()
    verdict = decide(
        score=score,
        of_units={"classes": by_class, "groups": by_group} if widest else {},
        episodes=len(results),
        protocol=context.protocol,
        not_finite=sum(result.not_finite for result in results),
        difference=difference,
        baselines=[one for name, one in comparisons.items() if name not in not_held],
        options=context.options,
        task=task,
    )
    return {
        task.metric: rounded(score.mean),
        "ci95": rounded(score.half_width),
        "ci95_by_class": by_class and rounded(by_class.half_width),
        "ci95_by_group": by_group and rounded(by_group.half_width),
        "episodes": len(results),
        "ways": context.record.ways,
        "shots": context.record.shots,
        "queries": context.record.queries,
        "protocol": context.protocol,
        "baselines": dict(zip(baselines, _means(baselines.values()))),
        "baseline_differences": {
            name: {
                "words": one.words,
                "difference": rounded(one.difference.mean),
                "ci95": rounded(one.difference.half_width),
                "episodes": one.episodes,
                "ahead": one.margin(better) > 0,
            }
            for name, one in comparisons.items()
        },
        "best_baseline": max(baselines, key=lambda name: better * baselines[name].mean),
        "per_step": _means(steps),
        "per_shots": dict(zip(shots, _means(shots.values()))),
        "curve_episodes": len(in_curves),
        "half_widths": {
            "baselines": dict(zip(baselines, _half_widths(baselines.values()))),
            "per_step": _half_widths(steps),
            "per_shots": dict(zip(shots, _half_widths(shots.values()))),
        },
        "threshold": context.options.threshold,
        "tolerance": context.options.tolerance,
        "blessed": verdict.blessed,
        "reasons": verdict.reasons,
        "baseline_model": compared,
        "splits_hash": context.record.splits_hash,
    }


def rounded(number: float) -> float:
    """A number as the files hold it, of six decimals."""
    return round(number, 6)


def _of_units(
    results: Sequence[EpisodeResult], record: EpisodeSetRecord
) -> tuple[Interval | None, Interval | None]:
    """The intervals over classes and over groups."""
    episodes = [result.classes for result in results]
    by_group = record.split_by == "group"
    over_groups = cluster_interval(episodes, record.groups) if by_group else None
    return cluster_interval(episodes, {}), over_groups


def _with_baselines(
    results: Sequence[EpisodeResult], words: Mapping[str, str], *, itself: bool
) -> dict[str, Comparison]:
    """The model beside each baseline, on all episodes that were scored by it.

    `itself` tells whether the model before its first inner step is one of them.
    """
    of_name: dict[str, list[tuple[float, float]]] = {}
    for result in results:
        paths = {NO_ADAPTATION: result.per_step[0]} if itself and result.per_step else {}
        for name, score in (result.baselines | paths).items():
            of_name.setdefault(name, []).append((result.score, score))
    return {
        name: Comparison.of(words.get(name, name), *np.transpose(pairs))
        for name, pairs in of_name.items()
    }


def _compare(
    results: Sequence[EpisodeResult], last_blessed: dict[str, Any] | None, task: Task
) -> tuple[dict[str, Any] | None, Interval | None]:
    """The entry `baseline_model` of `metrics.json`, and the paired difference to that model."""
    if last_blessed is None or "not_comparable" in last_blessed:
        return last_blessed, None
    before = np.array([result.last_blessed for result in results], np.float64)
    now = np.array([result.score for result in results])
    score, difference = mean_interval(before), mean_interval(now - before)
    return last_blessed | {
        task.metric: rounded(score.mean),
        "ci95": rounded(score.half_width),
        "difference": rounded(difference.mean),
        "difference_ci95": rounded(difference.half_width),
    }, difference


def _means(intervals: Iterable[Interval]) -> list[float]:
    return [rounded(one.mean) for one in intervals]


def _half_widths(intervals: Iterable[Interval]) -> list[float]:
    return [rounded(one.half_width) for one in intervals]
