"""The prediction "none of these", for queries whose largest probability is below a threshold.

Each episode is predicted again with one class taken out of its support set. The queries of that
class belong to none of the others, and their largest probabilities should be lower. The threshold
is chosen on the episodes of `eval` and rated on those of `test`, whose classes are others.

References: Hendrycks and Gimpel 2017, "A Baseline for Detecting Misclassified and
Out-of-Distribution Examples", arXiv 1610.02136 (the largest probability as the score).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class OpenSet(NamedTuple):
    """The queries of some episodes, predicted with a class left out, each `[n]`."""

    confidences: np.ndarray  # the largest probability
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
    the queries outside that get it, f1 the harmonic mean of the two; accuracy counts all queries.
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
        "accuracy": float(right.mean()),
    }
    return {name: round(value, 6) for name, value in values.items()} | {"queries": len(none)}


def join(of_episodes: Sequence[dict[str, list]]) -> OpenSet:
    """Joins the values of `ClassificationResult.open_set` of many episodes."""
    return OpenSet(
        *(np.concatenate([np.array(one[name]) for one in of_episodes]) for name in OpenSet._fields)
    )
