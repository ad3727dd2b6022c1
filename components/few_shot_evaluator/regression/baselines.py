"""The baselines of a regression model: predictions without any learning.

Each takes one episode and gives the predictions for its queries: support inputs `[S, ...]`, support
targets `[S, *target]` and queries `[Q, ...]` to `[Q, *target]`.
"""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import PolynomialFeatures

MEAN_TARGET = "mean_target"
NEAREST_NEIGHBOUR = "nearest_neighbour"
IDENTITY = "identity"
COLOUR_MAPS = {"affine_colour_map": 1, "quadratic_colour_map": 2, "cubic_colour_map": 3}
"""Image to image: a polynomial of each pixel's channels, by its degree."""

NAMES = {
    MEAN_TARGET: "the mean of the support targets",
    NEAREST_NEIGHBOUR: "the target of the nearest support input",
    IDENTITY: "the query itself",
    **{name: f"a colour map of degree {degree}" for name, degree in COLOUR_MAPS.items()},
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


def colour_map(
    support_x: np.ndarray, support_y: np.ndarray, query: np.ndarray, degree: int
) -> np.ndarray:
    """The polynomial of a pixel's own channels that fits the support pairs best, in 0..1.

    `support_x` `[S, H, W, C]`, `support_y` of this shape, and `query` `[Q, H, W, C]`.
    """
    channels = support_y.shape[-1]
    terms = PolynomialFeatures(degree, include_bias=False)
    x, asked = (identity(images).reshape(-1, channels) for images in (support_x, query))
    fitted = Ridge(alpha=1e-6).fit(terms.fit_transform(x), support_y.reshape(-1, channels))
    return fitted.predict(terms.transform(asked)).clip(0.0, 1.0).reshape(query.shape)
