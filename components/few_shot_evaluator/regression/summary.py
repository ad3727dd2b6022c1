"""From the results of all episodes to `metrics.json`, for regression."""

from collections.abc import Sequence
from typing import Any

from components.few_shot_evaluator import summary
from components.few_shot_evaluator.regression.scoring import RegressionResult


def summarise(
    results: Sequence[RegressionResult],
    terms: summary.Terms,
    validation: Sequence[RegressionResult] = (),
) -> dict[str, Any]:
    """All numbers of an evaluation, and the verdict.

    Args:
      results: one an episode, sorted by index.
      terms: what else the verdict depends on; the threshold is the mean squared error that the
        *upper* end of the 95% interval must not exceed.
      validation: not used: nothing is asked of the episodes of `eval`.

    Returns:
      As `few_shot_evaluator.summary.summarise`, the metric being `mean_squared_error`, of which
      lower is better; `metric` names it.
    """
    del validation
    return {"metric": "mean_squared_error"} | summary.summarise(results, terms)
