"""The outer update: one step of an optimizer on nested weights, as pure functions.

  adam      m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,
            w <- w - rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)
  adamw     the same, after  w <- w - rate d w
  sgd       w <- w - rate g
  momentum  m <- b1 m + g,  w <- w - rate m

with b1 = 0.9, b2 = 0.999, eps = 1e-8 and the weight decay d = 0.01.

References:
  Kingma, Ba 2015, "Adam", arXiv 1412.6980, end of section 2 (eps outside the correction, as in
  TensorFlow 1, which the papers used);
  Loshchilov, Hutter 2019, "Decoupled Weight Decay Regularization", arXiv 1711.05101.
"""

from typing import Any, NamedTuple

import tensorflow as tf

from components.meta_trainer.types import Weights

BETA_1, BETA_2, EPSILON, WEIGHT_DECAY = 0.9, 0.999, 1e-8, 0.01


class Moments(NamedTuple):
    """What an optimizer keeps from step to step: m and v, each a nest as the weights."""

    first: Weights
    second: Weights


def init(weights: Weights) -> Moments:
    """Moments of zero."""
    return Moments(*(tf.nest.map_structure(tf.zeros_like, dict(weights)) for _ in range(2)))


def adam(
    weights: Weights,
    gradients: Weights,
    moments: Moments,
    *,
    step: tf.Tensor,
    rate: tf.Tensor,
    epsilon: tf.Tensor | float = EPSILON,
) -> tuple[dict[str, Any], Moments]:
    """One step of Adam: the weights and the moments after it.

    `step`, the learning rate `rate` and `epsilon` are float scalars; `step` is 1 for the first
    update.
    """
    each = tf.nest.map_structure
    correction = tf.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    first = each(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, moments.first, gradients)
    second = each(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, moments.second, gradients)
    new = each(
        lambda w, m, v: w - rate * correction * m / (tf.sqrt(v) + epsilon), weights, first, second
    )
    return new, Moments(first, second)


def adamw(weights, gradients, moments, *, step, rate) -> tuple[dict[str, Any], Moments]:
    """One step of Adam with decoupled weight decay; arguments as for `adam`."""
    decayed = tf.nest.map_structure(lambda w: w - rate * WEIGHT_DECAY * w, weights)
    return adam(decayed, gradients, moments, step=step, rate=rate)


def sgd(weights, gradients, moments, *, step, rate) -> tuple[dict[str, Any], Moments]:
    """One plain step of descent; arguments as for `adam`, the moments stay as they are."""
    del step
    return tf.nest.map_structure(lambda w, g: w - rate * g, weights, gradients), moments


def momentum(weights, gradients, moments, *, step, rate) -> tuple[dict[str, Any], Moments]:
    """One step of descent with momentum; arguments as for `adam`."""
    moved = tf.nest.map_structure(lambda m, g: BETA_1 * m + g, moments.first, gradients)
    new, _ = sgd(weights, moved, moments, step=step, rate=rate)
    return new, moments._replace(first=moved)


UPDATES = {"adam": adam, "adamw": adamw, "sgd": sgd, "momentum": momentum}
"""The update of each optimizer, by the name in `training.optimizer` and `MetaOptimizer`."""


def clip(gradients: Weights, norm: float | None) -> dict[str, Any]:
    """Scales all gradients so that their global norm is at most `norm`, if there is a limit."""
    if norm is None:
        return dict(gradients)
    clipped, _ = tf.clip_by_global_norm(tf.nest.flatten(gradients), norm)
    return tf.nest.pack_sequence_as(gradients, clipped)
