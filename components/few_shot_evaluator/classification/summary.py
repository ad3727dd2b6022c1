"""From the results of all episodes to `metrics.json`, for classifiers."""

import math
from collections.abc import Sequence
from typing import Any

from components.few_shot_evaluator import summary
from components.few_shot_evaluator.classification import baselines, domains, none_of_these
from components.few_shot_evaluator.classification.scoring import ClassificationResult
from components.few_shot_evaluator.classification.temperature import effect
from components.few_shot_evaluator.clusters import cluster_interval


def summarise(
    results: Sequence[ClassificationResult],
    context: summary.EvaluationContext,
    validation: Sequence[ClassificationResult] = (),
) -> dict[str, Any]:
    """All metrics of an evaluation, and the verdict; `validation` are results of `eval`, if any.

    Returns:
      As `few_shot_evaluator.summary.summarise`, the metric being `accuracy`, and:
      calibration: see `temperature.effect`.
      per_group: `{group: {accuracy, ci95, episodes}}`, over the queries of that group's classes.
      within_domain: where `eval` is of new classes of the domains of meta-training and `test` of
        new domains: accuracy, ci95, ci95_by_class, episodes and per_group of `eval`; drop,
        drop_ci95 and drop_ci95_by_class, how far the accuracy falls to new domains. Else `None`.
      none_of_these: see `none_of_these.evaluate`; `None` unless the options ask for it.
      worst_episodes: `[{index, accuracy}]`, worst first.
    """
    options = context.options
    new_domains = domains.has_new_domains(context.record)
    return summary.summarise(results, context, baselines.words_of(context.record.example_spec)) | {
        "calibration": effect(results, context.temperature, bins=options.calibration_bins),
        "per_group": domains.per_group([result.groups for result in results]),
        "within_domain": _within_domain(validation, results) if new_domains else None,
        "none_of_these": _none_of_these(validation, results, context),
        "worst_episodes": [
            {"index": result.index, "accuracy": summary.rounded(result.score)}
            for result in worst(results, options.worst_episodes)
        ],
    }


def worst(results: Sequence[ClassificationResult], number: int) -> list[ClassificationResult]:
    """The least accurate episodes, worst first, ties by index."""
    return sorted(results, key=lambda result: (result.score, result.index))[:number]


def _within_domain(
    validation: Sequence[ClassificationResult], results: Sequence[ClassificationResult]
) -> dict[str, Any]:
    splits = validation, results
    accuracies = [[result.score for result in of_split] for of_split in splits]
    by_class = [cluster_interval([result.classes for result in split], {}) for split in splits]
    widths = [interval.half_width for interval in by_class if interval]
    return domains.drop(*accuracies) | {
        "ci95_by_class": by_class[0] and summary.rounded(by_class[0].half_width),
        "drop_ci95_by_class": summary.rounded(math.hypot(*widths)) if all(by_class) else None,
        "per_group": domains.per_group([result.groups for result in validation]),
    }


def _none_of_these(
    validation: Sequence[ClassificationResult],
    results: Sequence[ClassificationResult],
    context: summary.EvaluationContext,
) -> dict[str, Any] | None:
    if not context.options.none_of_these:
        return None
    of_validation, of_test = (
        [result.open_set for result in of_split if result.open_set is not None]
        for of_split in (validation, results)
    )
    return none_of_these.evaluate(of_validation, of_test, context.none_threshold)
