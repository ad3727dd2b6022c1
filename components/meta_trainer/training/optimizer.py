"""The outer update: Adam (or plain descent) with a schedule and clipping, as pure functions.

    m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,
    w <- w - rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps)

References: Kingma, Ba 2015, "Adam", arXiv 1412.6980, end of section 2 (eps outside the
correction, as in TensorFlow 1, which the papers used).
"""

import math
from typing import NamedTuple

import tensorflow as tf

from components.meta_trainer.types import Weights

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class AdamState(NamedTuple):
    """First and second moments, as the weights."""

    first: Weights
    second: Weights


def init(weights: Weights) -> AdamState:
    """Moments of zero."""
    zeros = {name: tf.zeros_like(w) for name, w in weights.items()}
    return AdamState(zeros, dict(zeros))


def update(
    weights: Weights,
    gradients: Weights,
    state: AdamState,
    *,
    step: tf.Tensor,
    rate: tf.Tensor,
    epsilon: tf.Tensor | float = EPSILON,
) -> tuple[dict[str, tf.Tensor], AdamState]:
    """One step of Adam.

    Args:
      weights, gradients, state: by the same names.
      step: float scalar, 1 for the first update.
      rate: float scalar.
      epsilon: float scalar.
    """
    correction = tf.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    first = {n: BETA_1 * state.first[n] + (1 - BETA_1) * g for n, g in gradients.items()}
    second = {n: BETA_2 * state.second[n] + (1 - BETA_2) * g * g for n, g in gradients.items()}
    new = {
        n: w - rate * correction * first[n] / (tf.sqrt(second[n]) + epsilon)
        for n, w in weights.items()
    }
    return new, AdamState(first, second)


def descend(
    weights: Weights, gradients: Weights, state: AdamState, *, step: tf.Tensor, rate: tf.Tensor
) -> tuple[dict[str, tf.Tensor], AdamState]:
    """One plain step, w - rate * g; arguments as for `update`, the state stays as it is."""
    del step
    return {name: w - rate * gradients[name] for name, w in weights.items()}, state


UPDATES = {"adam": update, "descent": descend}
"""By the name in a learner's `MetaOptimizer`."""


def clip(gradients: Weights, norm: float | None) -> dict[str, tf.Tensor]:
    """Scales all gradients so that their global norm is at most `norm`."""
    if norm is None:
        return dict(gradients)
    clipped, _ = tf.clip_by_global_norm(list(gradients.values()), norm)
    return dict(zip(gradients, clipped))


def scheduled(rate: float, schedule: str, progress: tf.Tensor) -> tf.Tensor:
    """The rate after the share `progress` (0..1) of meta-training."""
    if schedule == "cosine":
        # To one hundredth of the start, as MAML++ (1e-3 to 1e-5).
        return rate * (0.01 + 0.99 * 0.5 * (1 + tf.cos(math.pi * progress)))
    if schedule == "linear":
        return rate * (1 - progress)
    return rate * tf.ones_like(progress)
