"""The baseline of a classifier: a prediction without any learning."""

import numpy as np

NEAREST_CENTROID = "nearest_centroid"


def nearest_centroid(
    support: np.ndarray, support_y: np.ndarray, query: np.ndarray, *, ways: int
) -> np.ndarray:
    """Each query takes the class whose mean support example lies nearest (Euclidean).

    Args:
      support: `[S, d]` float, support examples as plain vectors.
      support_y: `[S]` int, -1 marks padding.
      query: `[Q, d]` float, query examples.
      ways: N; a class without a support example is never predicted.

    Returns:
      `[Q]` int64, the predicted classes.
    """
    member = (support_y[np.newaxis, :] == np.arange(ways)[:, np.newaxis]).astype(np.float64)
    size = member.sum(axis=1)
    centroids = member @ support / np.maximum(size, 1.0)[:, np.newaxis]
    # |q - c|^2 without the |q|^2, which is the same for every class.
    distance = (centroids**2).sum(axis=1) - 2.0 * query @ centroids.T
    return np.where(size > 0, distance, np.inf).argmin(axis=1)
