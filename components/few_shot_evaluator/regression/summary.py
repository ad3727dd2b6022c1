"""From the results of all episodes to `metrics.json`, for regression."""

from collections.abc import Sequence
from typing import Any

from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator import summary
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.regression.scoring import RegressionResult
from components.few_shot_evaluator.task_types import REGRESSION


def summarise(
    results: Sequence[RegressionResult],
    *,
    record: EpisodeSetRecord,
    options: EvaluationOptions,
    protocol: str | None,
    last_blessed: dict[str, Any] | None,
    validation: Sequence[RegressionResult] = (),
) -> dict[str, Any]:
    """All numbers of an evaluation, and the verdict.

    Args:
      results, record, protocol, last_blessed: as of `few_shot_evaluator.summary.summarise`.
      options: how the model is judged; the threshold is the mean squared error that the *upper* end
        of the 95% interval must not exceed.
      validation: not used: nothing is asked of the episodes of `eval`.

    Returns:
      As `few_shot_evaluator.summary.summarise`, the metric being `mean_squared_error`, of which
      lower is better; `metric` names it.
    """
    del validation
    shared = summary.summarise(
        results,
        task=REGRESSION,
        record=record,
        options=options,
        protocol=protocol,
        last_blessed=last_blessed,
    )
    return {"metric": REGRESSION.metric} | shared
