"""From the results of all episodes to `metrics.json`, for retrieval."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from components.few_shot_evaluator import summary
from components.few_shot_evaluator.clusters import cluster_interval
from components.few_shot_evaluator.metrics import Interval
from components.few_shot_evaluator.retrieval import baselines
from components.few_shot_evaluator.retrieval.scoring import RetrievalResult


def summarise(
    results: Sequence[RetrievalResult],
    context: summary.EvaluationContext,
    validation: Sequence[RetrievalResult] = (),
) -> dict[str, Any]:
    """As `few_shot_evaluator.summary.summarise`, and `by_class`.

    `by_class` is `{class: {"episodes", "recall", baseline: recall ...}}` over the same episodes,
    and `differences_by_class` `{baseline: {"difference", "ci95"}}`: the model's recall less the
    baseline's, with the 95% half-width over classes (`clusters.cluster_interval`; paired), `None`
    where there are too few classes.
    """
    del validation  # the episodes of `eval` are not scored
    metrics = summary.summarise(results, context, baselines.NAMES)
    paired = [one for one in results if one.baselines and one.per_step is not None]
    paired = paired or [one for one in results if one.baselines]
    return (
        {"metric": "recall"}
        | metrics
        | {
            "by_class": _by_class(paired),
            "differences_by_class": {
                name: _rounded(_difference(paired, name))
                for name in (_compared(paired[0]) if paired else ())
            },
        }
    )


def _compared(result: RetrievalResult) -> dict[str, float]:
    """The recalls that the model's is compared with, that before its first step among them."""
    steps = result.per_step
    return result.baselines | ({summary.NO_ADAPTATION: steps[0]} if steps else {})


def _by_class(results: Sequence[RetrievalResult]) -> dict[str, dict[str, Any]]:
    of_class: dict[str, list[dict[str, float]]] = defaultdict(list)
    for result in results:
        (name,) = result.classes
        of_class[name].append({"recall": result.score} | _compared(result))
    return {
        name: {"episodes": len(rows)}
        | {key: summary.rounded(float(np.mean([row[key] for row in rows]))) for key in rows[0]}
        for name, rows in sorted(of_class.items())
    }


def _difference(results: Sequence[RetrievalResult], baseline: str) -> Interval | None:
    sums = []
    for result in results:
        ((name, (_, queries)),) = result.classes.items()
        ahead = result.score - _compared(result)[baseline]
        sums.append({name: [ahead * queries, queries]})
    return cluster_interval(sums, {})


def _rounded(interval: Interval | None) -> dict[str, float] | None:
    if interval is None:
        return None
    return {
        "difference": summary.rounded(interval.mean),
        "ci95": summary.rounded(interval.half_width),
    }
