"""Classifiers that know a support set and nothing else, for the baselines.

Each takes support features `[S, d]`, labels `[S]` 0..N-1 (-1 for padding), query features `[Q, d]`
and the ways N, and gives the class of each query `[Q]`. A class without a support example is never
predicted.
"""

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

Classifier = Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]

# Weaker than scikit-learn's 1.0: the features of a few examples are nearly always separable.
INVERSE_PENALTY = 10.0


def nearest_centroid(
    support: np.ndarray, support_y: np.ndarray, query: np.ndarray, ways: int
) -> np.ndarray:
    """The class whose mean support example is nearest (Euclidean)."""
    member = (support_y[np.newaxis, :] == np.arange(ways)[:, np.newaxis]).astype(np.float64)
    size = member.sum(axis=1)
    centroids = member @ support / np.maximum(size, 1.0)[:, np.newaxis]
    # |q - c|^2 without the |q|^2, which is the same for every class.
    distance = (centroids**2).sum(axis=1) - 2.0 * query @ centroids.T
    return np.where(size > 0, distance, np.inf).argmin(axis=1)


def centred_cosine_centroid(
    support: np.ndarray, support_y: np.ndarray, query: np.ndarray, ways: int
) -> np.ndarray:
    """The class whose centroid has the largest cosine, all less the mean of the support set.

    Reference: Wang et al. 2019, "SimpleShot", arXiv 1911.04623 (CL2N, with the support set's mean).
    """
    mean = support[support_y >= 0].mean(axis=0)
    return nearest_centroid(_unit(support - mean), support_y, _unit(query - mean), ways)


def logistic_regression(
    support: np.ndarray, support_y: np.ndarray, query: np.ndarray, ways: int
) -> np.ndarray:
    """The class of a logistic regression fitted to the support set."""
    del ways
    real = support_y >= 0
    support, labels = support[real].astype(np.float64), support_y[real]
    if len(np.unique(labels)) == 1:
        return np.full(len(query), labels[0])
    # With an L2 penalty the weights lie in the span of the examples: in its S coordinates the
    # solution is the same, and d, thousands of pixels, costs two products.
    squares, vectors = np.linalg.eigh(support @ support.T)
    kept = squares > 1e-9 * squares[-1]
    basis = support.T @ (vectors[:, kept] / np.sqrt(squares[kept]))
    model = LogisticRegression(C=INVERSE_PENALTY, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the answers no longer change
        return model.fit(support @ basis, labels).predict(query @ basis)


def unit_logistic_regression(
    support: np.ndarray, support_y: np.ndarray, query: np.ndarray, ways: int
) -> np.ndarray:
    """Logistic regression of features of length 1.

    Reference: Tian et al. 2020, "Rethinking Few-Shot Image Classification: a Good Embedding Is All
    You Need?", arXiv 2003.11539, section 3.3.
    """
    return logistic_regression(_unit(support), support_y, _unit(query), ways)


def standardise(support: np.ndarray, query: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with mean 0 and standard deviation 1 of every feature of the support set."""
    mean, deviation = support.mean(axis=0), support.std(axis=0)
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    return (support - mean) / scale, (query - mean) / scale


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
