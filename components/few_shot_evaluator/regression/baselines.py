"""The baselines of a regression model: predictions without any learning.

Each takes one episode and gives the predictions for its queries: support inputs `[S, ...]`, support
targets `[S, *target]` and queries `[Q, ...]` to `[Q, *target]`.
"""

import numpy as np

MEAN_TARGET = "mean_target"
NEAREST_NEIGHBOUR = "nearest_neighbour"
IDENTITY = "identity"

NAMES = {
    MEAN_TARGET: "the mean of the support targets",
    NEAREST_NEIGHBOUR: "the target of the nearest support input",
    IDENTITY: "the query itself",
}


def mean_target(support_y: np.ndarray, queries: int) -> np.ndarray:
    """The mean of the support targets, the same for every query."""
    return np.broadcast_to(support_y.mean(axis=0), (queries, *support_y.shape[1:]))


def nearest_neighbour(support: np.ndarray, support_y: np.ndarray, query: np.ndarray) -> np.ndarray:
    """The target of the support input that is nearest (Euclidean, on `[n, d]` raw features)."""
    distance = (support**2).sum(axis=1) - 2.0 * query @ support.T
    return support_y[distance.argmin(axis=1)]


def identity(query: np.ndarray) -> np.ndarray:
    """The query as its own prediction; pixels are scaled to 0..1, as their targets are."""
    return query / np.float32(255.0) if query.dtype == np.uint8 else query
