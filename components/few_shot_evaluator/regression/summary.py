"""From the results of all episodes to `metrics.json`, for regression."""

from collections.abc import Sequence
from typing import Any

from components.few_shot_evaluator import summary
from components.few_shot_evaluator.regression.scoring import RegressionResult


def summarise(
    results: Sequence[RegressionResult],
    context: summary.EvaluationContext,
    validation: Sequence[RegressionResult] = (),
) -> dict[str, Any]:
    """All metrics of an evaluation, and the verdict.

    Args:
      results: one an episode, sorted by index.
      context: what else metrics and verdict depend on; the threshold is the mean squared error
        that the *upper* end of the 95% interval must not exceed.
      validation: not used, since the episodes of `eval` are not scored.

    Returns:
      As `few_shot_evaluator.summary.summarise`, the metric being `mean_squared_error`, of which
      lower is better; `metric` names it.
    """
    del validation
    return {"metric": "mean_squared_error"} | summary.summarise(results, context)
