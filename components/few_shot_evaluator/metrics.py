"""Means, intervals and calibration over many episodes. Pure NumPy."""

from typing import NamedTuple

import numpy as np
import numpy.typing

# Two-sided 95% of the normal distribution, as few-shot papers report their half-widths.
NORMAL_95 = 1.96


class Interval(NamedTuple):
    """A mean over episodes and its 95% half-width."""

    mean: float
    half_width: float


def mean_interval(per_episode: np.typing.ArrayLike) -> Interval:
    """The mean of `[E]` floats, E >= 2, and its 95% half-width, 1.96 s / sqrt(E).

    s is the sample standard deviation (divisor E - 1).
    """
    values = np.asarray(per_episode, np.float64)
    if len(values) < 2:
        raise ValueError(f"`per_episode` needs at least 2 episodes, got {len(values)}")
    half_width = NORMAL_95 * values.std(ddof=1) / np.sqrt(len(values))
    return Interval(float(values.mean()), float(half_width))


class Calibration(NamedTuple):
    """Accuracy by confidence, in bins of equal width.

    The expected error is the sum over bins of (share of the queries) x |accuracy - confidence|.
    Accuracy and confidence are 0 where a bin is empty.
    """

    expected_error: float
    edges: np.ndarray  # [bins + 1], 0..1
    counts: np.ndarray  # [bins], queries in each bin
    accuracy: np.ndarray  # [bins]
    confidence: np.ndarray  # [bins]

    def to_json(self) -> dict:
        """The entry `calibration` of `metrics.json`, one row a bin."""
        return {
            "expected_calibration_error": round(self.expected_error, 6),
            "bins": [
                {
                    "from": round(float(low), 6),
                    "to": round(float(high), 6),
                    "queries": int(count),
                    "accuracy": round(float(right), 6) if count else None,
                    "confidence": round(float(sure), 6) if count else None,
                }
                for low, high, count, right, sure in zip(
                    self.edges[:-1], self.edges[1:], self.counts, self.accuracy, self.confidence
                )
            ],
        }


def calibration(confidences: np.ndarray, correct: np.ndarray, *, bins: int) -> Calibration:
    """Computes the reliability diagram and the expected calibration error.

    The confidences `[n]`, 0..1, are the probabilities given to the predicted classes. A bin holds
    those above its lower edge up to its upper edge; the first holds 0 as well.

    Reference: Guo et al., "On Calibration of Modern Neural Networks", 2017, Eq. 3,
    https://arxiv.org/abs/1706.04599
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    bin_of = np.clip(np.searchsorted(edges, confidences, side="left") - 1, 0, bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    divisor = np.maximum(counts, 1)
    right = np.bincount(bin_of, weights=np.asarray(correct, np.float64), minlength=bins) / divisor
    sure = np.bincount(bin_of, weights=confidences, minlength=bins) / divisor
    error = float((counts * np.abs(right - sure)).sum() / max(len(confidences), 1))
    return Calibration(error, edges, counts, right, sure)


def confusion(predictions: np.ndarray, labels: np.ndarray, *, ways: int) -> np.ndarray:
    """The confusion matrix, `[N, N]` int: row the true class, column the predicted one.

    Predictions and labels, `[Q]` int, outside 0..N-1 (none, or padding) are left out.
    """
    inside = (labels >= 0) & (labels < ways) & (predictions >= 0) & (predictions < ways)
    cells = labels[inside].astype(np.int64) * ways + predictions[inside]
    return np.bincount(cells, minlength=ways * ways).reshape(ways, ways)


# Enough points to see where more shots stop to help; each costs one call of the model.
SHOTS_OF_THE_CURVE = (1, 2, 3, 5, 10, 20, 50)


def fewer_shots(shots: int) -> list[int]:
    """The numbers of shots below `shots` that the curve shows (it ends with `shots` itself)."""
    return [fewer for fewer in SHOTS_OF_THE_CURVE if fewer < shots]
