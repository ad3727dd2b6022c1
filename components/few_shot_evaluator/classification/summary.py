"""From the results of all episodes to `metrics.json`, for classifiers."""

from collections.abc import Sequence
from typing import Any

from components.few_shot_evaluator import summary
from components.few_shot_evaluator.classification import baselines, domains, none_of_these
from components.few_shot_evaluator.classification.scoring import ClassificationResult
from components.few_shot_evaluator.classification.temperature import effect


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
        new domains: accuracy, ci95, episodes and per_group of `eval`; drop and drop_ci95, how far
        the accuracy falls from there to new domains. Else `None`.
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
    accuracies = [[result.score for result in of_split] for of_split in (validation, results)]
    return domains.drop(*accuracies) | {
        "per_group": domains.per_group([result.groups for result in validation])
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
