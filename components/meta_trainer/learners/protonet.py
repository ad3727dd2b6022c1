"""Prototypical networks: the nearest class mean in a learned space; no gradient steps.

    p(y = k | x) = softmax_k(-|f(x) - c_k|^2),   c_k = mean of f(x_i) over class k

References: Snell, Swersky, Zemel 2017, "Prototypical Networks", arXiv 1703.05175, eq. 1 and 2.
"""

from typing import Any

import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.learners.base import Learner, ServingLimits, Traits, query_gradients
from components.meta_trainer.learners.prototypes import class_means, count_ways
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.options import options_class
from components.tasks.task import Task


@options_class
class ProtonetOptions:
    """Options of `protonet`: it has none."""


def protonet(options: ProtonetOptions, network: Network, task: Task) -> Learner:
    """Prototypical networks; the network's head is not used."""
    del options

    def init(seed: int) -> dict[str, Any]:
        return {"body": network.init(seed)["body"]}

    def adapt_to(ways: int | None):
        def adapt(weights: Weights, support: Support) -> dict[str, Any]:
            features, statistics = network.features(weights, support.x, task.mask(support.y))
            n = count_ways(support.y) if ways is None else ways
            return {"prototypes": class_means(features, support.y, n), "statistics": statistics}

        return adapt

    def predict(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tf.Tensor:
        features, _ = network.features(weights, query_x, statistics=adapted["statistics"])
        return -squared_distances(features, adapted["prototypes"])

    return Learner(
        init=init,
        adapt=adapt_to(None),
        predict=predict,
        # The ways of meta-training are known, and XLA needs static shapes.
        meta_gradients=query_gradients(adapt_to(network.outputs), predict, task),
        path=None,
        network=network,
        traits=Traits(
            ServingLimits(ways="any number", shots="any number, also uneven", steps="takes none"),
            fixed_ways=False,
            needs_classes=True,
        ),
    )


def squared_distances(x: tf.Tensor, prototypes: tf.Tensor) -> tf.Tensor:
    """Squared distances `[E, Q, N]` of `[E, Q, D]` from `[E, N, D]`: |x|^2 - 2 x c + |c|^2.

    Both are first moved by the prototypes' mean: far from the origin the difference of large
    squares would lose the digits that tell the classes apart.
    """
    middle = tf.reduce_mean(prototypes, axis=1, keepdims=True)
    x, prototypes = x - middle, prototypes - middle
    products = tf.matmul(x, prototypes, transpose_b=True)
    x_norms = tf.reduce_sum(tf.square(x), axis=-1)[:, :, None]
    prototype_norms = tf.reduce_sum(tf.square(prototypes), axis=-1)[:, None, :]
    return x_norms - 2 * products + prototype_norms
