"""The prediction "none of these", for queries whose confidence is below a threshold.

The confidence is 1 - `none_score` where the model has that output, else the largest probability.
Each episode is predicted again with one class taken out of its support set. The queries of that
class belong to none of the others, and their confidences should be lower. The threshold, the
model's own or else chosen on the episodes of `eval`, is rated on those of `test`, whose classes are
others.

References: Hendrycks and Gimpel 2017, "A Baseline for Detecting Misclassified and
Out-of-Distribution Examples", arXiv 1610.02136 (the largest probability as the score).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu

FAMILIARITY, LARGEST_PROBABILITY = "familiarity", "largest_probability"
"""Two kinds of confidence, as `ClassificationResult.open_set` names them: 1 - none_score is one."""
CURVE_POINTS = 51


class OpenSet(NamedTuple):
    """The queries of some episodes, predicted with a class left out, each `[n]`."""

    confidences: np.ndarray  # 0..1
    outside: np.ndarray  # bool, whether the query is of the class left out
    right: np.ndarray  # bool, whether the prediction is right; never for those outside


def choose_threshold(queries: OpenSet) -> float:
    """The threshold with the best F1 of "none of these"; midway between two confidences."""
    order = np.argsort(queries.confidences, kind="stable")
    confidences, outside = queries.confidences[order], queries.outside[order]
    hits = np.cumsum(outside)  # if the n least sure queries get "none of these", n from 1
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + max(int(outside.sum()), 1))
    # Equal confidences are on the same side, so a threshold lies only where they change.
    changes = np.append(confidences[1:] > confidences[:-1], True)
    last = int(np.argmax(np.where(changes, f1, -1.0)))
    above = confidences[last + 1] if last + 1 < len(confidences) else 1.0
    return float((confidences[last] + above) / 2)


def rate_threshold(queries: OpenSet, threshold: float) -> dict[str, Any]:
    """How well a threshold separates the queries of absent classes from the others.

    Precision is the share of the predictions "none of these" that are right, recall the share of
    the queries outside that get it, f1 the harmonic mean of the two, refused the share of the
    queries inside that get it; accuracy counts all queries. Of all thresholds together: auroc, the
    probability that a query outside has the lower confidence of two, and the curve.
    """
    none = queries.confidences < threshold
    hits = int((none & queries.outside).sum())
    precision = hits / max(int(none.sum()), 1)
    recall = hits / max(int(queries.outside.sum()), 1)
    right = np.where(queries.outside, none, queries.right & ~none)
    values = {
        "threshold": threshold,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "refused": float(none[~queries.outside].mean()),
        "accuracy": float(right.mean()),
        "auroc": auroc(queries),
    }
    rating: dict[str, Any] = {name: round(value, 6) for name, value in values.items()}
    return rating | {"queries": len(none), "curve": accuracy_curve(queries)}


def auroc(queries: OpenSet) -> float:
    """The probability that a query outside has a lower confidence than one inside."""
    inside, outside = (queries.confidences[side] for side in (~queries.outside, queries.outside))
    if not len(inside) or not len(outside):
        return 0.5
    return float(mannwhitneyu(inside, outside).statistic / (len(inside) * len(outside)))


def accuracy_curve(queries: OpenSet) -> list[dict[str, float]]:
    """The share of right answers, by the share of the queries inside that is refused."""
    rows = []
    for share in np.linspace(0.0, 1.0, CURVE_POINTS):
        none = queries.confidences < np.quantile(queries.confidences[~queries.outside], share)
        right = np.where(queries.outside, none, queries.right & ~none)
        refused = float(none[~queries.outside].mean())
        rows.append({"refused": round(refused, 6), "accuracy": round(float(right.mean()), 6)})
    return rows


def evaluate(
    validation: Sequence[dict[str, list]],
    test: Sequence[dict[str, list]],
    none_threshold: float | None,
) -> dict[str, Any]:
    """The entry `none_of_these` of `metrics.json`, from the open sets of two splits' episodes.

    Returns:
      score: "none_score", or "largest_probability" of a model without that output.
      threshold: for `fewshot query --none-below`: the model's own, 1 - `none_threshold`, or that of
        the largest F1 on `validation`; and what `rate_threshold` says of it.
      by_largest_probability: the same of the largest probability, beside "none_score".
    """
    by_probability = rate_threshold(
        join(test, LARGEST_PROBABILITY), choose_threshold(join(validation, LARGEST_PROBABILITY))
    )
    if none_threshold is None:
        return {"score": LARGEST_PROBABILITY, **by_probability}
    by_score = rate_threshold(join(test, FAMILIARITY), 1.0 - none_threshold)
    return {"score": "none_score", **by_score, "by_largest_probability": by_probability}


def join(of_episodes: Sequence[dict[str, list]], confidence: str) -> OpenSet:
    """Joins the values of `ClassificationResult.open_set` of many episodes, by one confidence."""
    names = confidence, "outside", "right"
    return OpenSet(
        *(np.concatenate([np.array(one[name]) for one in of_episodes]) for name in names)
    )
