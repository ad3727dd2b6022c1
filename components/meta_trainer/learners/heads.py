"""Where the linear head starts in each episode, before the inner loop adapts it.

From prototypes c_k, the mean features of each class, with their mean c over the classes:

    W_k = s (c_k - c) / v,   b_k = -W_k (c_k + c) / 2,   v = mean of |c_k - c|^2 + |c|^2 / 1000

so the softmax of W x + b equals that of -s |x - c_k|^2 / 2v. Such a W is also where one gradient
step leads from a head of zeros, but for its rate. s is meta-learned; it is divided by v, so logits
are of its order, however large features are (the last term is for classes that are all alike, whose
differences are those of rounding). No weight belongs to a class number: any number of
classes can be served, and their numbers, names and order change no prediction.

References: Triantafillou et al. 2020, "Meta-Dataset", arXiv 1903.03096, section 3 (s / 2v = 1).
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.kernels.shapes import shape_of
from components.meta_trainer.learners.prototypes import class_means
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights, stack_for_episodes
from components.tasks.task import Task

HeadStart = Callable[[Weights, Support, int | tf.Tensor], dict[str, Any]]
"""`(weights, support, N) -> ` the head that episodes start from: `kernel` `[E, D, N]` and `bias`
`[E, N]`."""


def head_start(network: Network, task: Task) -> HeadStart:
    """The start by the kind of the network's head."""

    def numbered(weights: Weights, support: Support, ways: int | tf.Tensor) -> dict[str, Any]:
        del ways
        return stack_for_episodes(weights["head"], shape_of(support.x)[0])

    def prototypes(weights: Weights, support: Support, ways: int | tf.Tensor) -> dict[str, Any]:
        features, _ = network.features(weights, support.x, task.mask(support.y))
        return prototype_start(features, support.y, ways, tf.exp(weights["head"]["log_scale"]))

    return numbered if network.fixed_ways else prototypes


def prototype_start(
    features: tf.Tensor, y: tf.Tensor, ways: int | tf.Tensor, scale: tf.Tensor
) -> dict[str, tf.Tensor]:
    """The head of the module's equations, by support features `[E, S, D]` and labels `[E, S]`."""
    means = class_means(features, y, ways)
    present = tf.reduce_max(tf.one_hot(y, ways, dtype=means.dtype), axis=1)[..., None]
    count = tf.reduce_sum(present, axis=1, keepdims=True)
    middle = tf.reduce_sum(means, axis=1, keepdims=True) / count
    centred = (means - middle) * present
    spread = tf.reduce_sum(tf.square(centred), axis=[1, 2], keepdims=True) / count
    size = tf.reduce_sum(tf.square(middle), axis=2, keepdims=True)
    kernel = scale * centred / (spread + size / 1000 + 1e-12)
    bias = -tf.reduce_sum(kernel * (means + middle), axis=-1) / 2
    return {"kernel": tf.linalg.matrix_transpose(kernel), "bias": bias}
