"""How unlike all classes of its support set a query is: the score behind "none of these".

The energy of a query with logits z is -T log sum_k exp(z_k / T) over the classes with support;
where logits are squared distances it is close to the one to the nearest prototype. It has no scale
of its own, so `none_score` says where it lies among the queries of meta-validation episodes that do
belong to a class: the share of them whose energy is lower. Of queries that belong to a class, a
threshold of 0.9 thus refuses about one in ten.

Each of those episodes has one class taken out of its support set; its queries belong to none of
the others. The recommended threshold gives the most right answers there: "none of these" for them,
the right class for the others.

References: Liu et al. 2020, "Energy-based Out-of-distribution Detection", arXiv 2010.03759,
section 3.1.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy.special import logsumexp

from components.tasks.classification import ABSENT

QUANTILES = 101


class NoneScale(NamedTuple):
    """From energies to `none_score`, and the recommended threshold.

    `energies` are those quantiles, at equal steps from 0 to 1, of queries that belong to a class.
    """

    energies: tuple[float, ...]
    threshold: float


def fit_none_scale(logits: np.ndarray, labels: np.ndarray, temperature: float) -> NoneScale | None:
    """The scale of a model, from logits `[n, N]` and labels `[n]` of queries of both kinds.

    The label of a query that belongs to none is a class without support, whose logit is `ABSENT`.
    """
    energies = -temperature * logsumexp(logits / temperature, axis=-1)
    outside = np.take_along_axis(logits, labels[:, np.newaxis], axis=-1)[:, 0] <= ABSENT
    if outside.all():
        return None  # no query of a class has finite logits
    quantiles = np.quantile(energies[~outside], np.linspace(0.0, 1.0, QUANTILES))
    scores = np.interp(energies, quantiles, np.linspace(0.0, 1.0, QUANTILES))
    right = logits.argmax(axis=-1) == labels
    return NoneScale(tuple(quantiles.tolist()), choose_threshold(scores, outside, right))


def choose_threshold(scores: np.ndarray, outside: np.ndarray, right: np.ndarray) -> float:
    """The threshold with the most right answers, if queries that score above it get "none".

    All three are `[n]`: whether a query belongs to none, and whether its predicted class is right.
    Midway between two scores; 1, which no score exceeds, if "none" never helps.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    gains = np.cumsum(outside[order].astype(int) - (right)[order])
    # Equal scores get the same answer, so a threshold lies only where they change.
    gains = np.where(np.append(ordered[1:] < ordered[:-1], False), gains, 0)
    last = int(gains.argmax())
    return float(ordered[last : last + 2].mean()) if gains[last] > 0 else 1.0


def none_score(logits: tf.Tensor, temperature: float, scale: NoneScale) -> tf.Tensor:
    """The scores `[E, Q]`, 0..1, of logits `[E, Q, N]` that are divided by the temperature."""
    energies = -temperature * tf.reduce_logsumexp(logits, axis=-1)
    quantiles = tf.constant(scale.energies, tf.float32)
    above = tf.searchsorted(quantiles, tf.reshape(energies, [-1]), side="right")
    lower = tf.reshape(tf.clip_by_value(above - 1, 0, QUANTILES - 2), tf.shape(energies))
    start, end = tf.gather(quantiles, lower), tf.gather(quantiles, lower + 1)
    part = tf.clip_by_value(tf.math.divide_no_nan(energies - start, end - start), 0.0, 1.0)
    # Where quantiles are equal there is no part between them.
    part = tf.where(end > start, part, tf.cast(energies >= end, tf.float32))
    return (tf.cast(lower, tf.float32) + part) / (QUANTILES - 1)
