"""Prototypical networks: the nearest class mean in a learned space; nothing is descended.

    p(y = k | x) = softmax_k(-|f(x) - c_k|^2),   c_k = mean of f(x_i) over class k

References: Snell, Swersky, Zemel 2017, "Prototypical Networks", arXiv 1703.05175, eq. 1 and 2.
"""

import tensorflow as tf
from pydantic.dataclasses import dataclass

from components.episodes.types import Support
from components.meta_trainer.learners.base import Learner, Serves
from components.meta_trainer.learners.family import query_gradients
from components.meta_trainer.learners.prototypes import class_means, ways_of
from components.meta_trainer.network import HEAD, Network
from components.meta_trainer.types import Weights, merge
from components.tasks.task import Task


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class ProtonetOptions:
    """Options of `protonet`: it has none."""


def protonet(options: ProtonetOptions, network: Network, task: Task) -> Learner:
    """See the module. The network's head is not used."""
    del options

    def init(seed: int) -> dict[str, tf.Tensor]:
        return {name: w for name, w in network.init(seed).items() if name not in HEAD}

    def adapt_to(ways: int | None):
        def adapt(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
            features, statistics = network.features(weights, support.x, task.mask(support.y))
            means = class_means(features, support.y, ways_of(support.y) if ways is None else ways)
            return merge(statistics, {"prototypes": means})

        return adapt

    def predict(weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
        everything = tf.ones(tf.shape(x)[:2])
        features, _ = network.features(weights, x, everything, adapted)
        return -squared_distances(features, adapted["prototypes"])

    return Learner(
        init=init,
        adapt=adapt_to(None),
        predict=predict,
        # The ways of meta-training are known, and XLA asks for shapes that are.
        meta_gradients=query_gradients(adapt_to(network.outputs), predict, task),
        path=None,
        network=network,
        serves=Serves(ways="any number", shots="any number, also uneven", steps="takes none"),
        fixed_ways=False,
        needs_classes=True,
    )


def squared_distances(x: tf.Tensor, prototypes: tf.Tensor) -> tf.Tensor:
    """`[E, Q, D]` and `[E, N, D]` to `[E, Q, N]`, from |x|^2 - 2 x c + |c|^2.

    Both are first moved by the prototypes' mean: far from the origin the difference of large
    squares would lose the digits that tell the classes apart.
    """
    middle = tf.reduce_mean(prototypes, axis=1, keepdims=True)
    x, prototypes = x - middle, prototypes - middle
    products = tf.matmul(x, prototypes, transpose_b=True)
    own = tf.reduce_sum(tf.square(x), axis=-1)[:, :, None]
    theirs = tf.reduce_sum(tf.square(prototypes), axis=-1)[:, None, :]
    return own - 2 * products + theirs
