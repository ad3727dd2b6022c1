"""Prototypical networks: the nearest class mean in a learned space; nothing is descended.

    p(y = k | x) = softmax_k(-|f(x) - c_k|^2),   c_k = mean of f(x_i) over class k

References: Snell, Swersky, Zemel 2017, "Prototypical Networks", arXiv 1703.05175, eq. 1 and 2.
"""

import tensorflow as tf
from pydantic.dataclasses import dataclass

from components.meta_trainer.learners.base import Learner, Serves, gradients_of
from components.meta_trainer.learners.prototypes import class_means, ways_of
from components.meta_trainer.network import HEAD, Network
from components.meta_trainer.objective import Objective
from components.meta_trainer.types import Episodes, Support, Weights, merge


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class ProtonetOptions:
    """Options of `protonet`: it has none."""


def protonet(options: ProtonetOptions, network: Network, objective: Objective) -> Learner:
    """See the module. The network's head is not used."""
    del options

    def init(seed: int) -> dict[str, tf.Tensor]:
        return {name: w for name, w in network.init(seed).items() if name not in HEAD}

    def adapt(
        weights: Weights, support: Support, ways: int | tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        features, statistics = network.features(weights, support.x, objective.mask(support.y))
        means = class_means(features, support.y, ways_of(support.y) if ways is None else ways)
        return merge(statistics, {"prototypes": means})

    def predict(weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
        everything = tf.ones(tf.shape(x)[:2])
        features, _ = network.features(weights, x, everything, adapted)
        return -squared_distances(features, adapted["prototypes"])

    def meta_loss(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        del progress
        # The ways of meta-training are known, and XLA asks for shapes that are.
        adapted = adapt(weights, episodes.support, network.outputs)
        outputs = predict(weights, adapted, episodes.query_x)
        return objective.loss(outputs, episodes.query_y, episodes.support_y), outputs

    return Learner(
        init=init,
        adapt=adapt,
        predict=predict,
        meta_gradients=gradients_of(meta_loss, objective),
        path=None,
        network=network,
        serves=Serves(ways="any number", shots="any number, also uneven", steps="takes none"),
        fixed_ways=False,
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
