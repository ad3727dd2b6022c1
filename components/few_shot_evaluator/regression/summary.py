"""From the results of all episodes to `metrics.json`, for regression."""

from collections.abc import Sequence
from typing import Any

from components.few_shot_evaluator import summary
from components.few_shot_evaluator.metrics import mean_interval
from components.few_shot_evaluator.regression import baselines
from components.few_shot_evaluator.regression.scoring import RegressionResult


def summarise(
    results: Sequence[RegressionResult],
    context: summary.EvaluationContext,
    validation: Sequence[RegressionResult] = (),
) -> dict[str, Any]:
    """As `few_shot_evaluator.summary.summarise`, with the name of the metric under `metric`.

    The *upper* end of the 95% interval must not exceed the threshold. Beside it:
      structural_similarity: `{"model" or baseline: {mean, ci95}}` of images, SSIM over the
        episodes of the curves, higher is better; empty where there is none. It decides nothing.
    """
    del validation  # the episodes of `eval` are not scored
    metrics = summary.summarise(results, context, baselines.NAMES)
    compared = [result.similarity for result in results if result.similarity]
    similarity = {
        name: mean_interval([one[name] for one in compared]) for name in next(iter(compared), {})
    }
    rows = {
        name: {"mean": summary.rounded(one.mean), "ci95": summary.rounded(one.half_width)}
        for name, one in similarity.items()
    }
    return {"metric": "mean_squared_error", **metrics, "structural_similarity": rows}
