"""From the results of all episodes to `metrics.json`, for regression."""

from collections.abc import Sequence
from typing import Any

from components.few_shot_evaluator import summary
from components.few_shot_evaluator.regression import baselines
from components.few_shot_evaluator.regression.scoring import RegressionResult


def summarise(
    results: Sequence[RegressionResult],
    context: summary.EvaluationContext,
    validation: Sequence[RegressionResult] = (),
) -> dict[str, Any]:
    """As `few_shot_evaluator.summary.summarise`, with the name of the metric under `metric`.

    The *upper* end of the 95% interval must not exceed the threshold.
    """
    del validation  # the episodes of `eval` are not scored
    return {"metric": "mean_squared_error"} | summary.summarise(results, context, baselines.NAMES)
