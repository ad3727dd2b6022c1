"""R2-D2: a ridge regression of the labels on the features of the support set, solved exactly.

    W = X' (X X' + lambda I)^-1 Y,   p(y = k | x) = softmax_k(s x W)

The rows of X are the features of the support set, those of Y its labels, one-hot; of both the mean
over the support set is taken off, and then each feature vector has length 1. The penalty lambda and
the scale s are meta-learned with the backbone. As long as there are fewer examples than features
the solution costs little more than prototypes, and it is better where there are several shots.

Reference: Bertinetto, Henriques, Torr, Vedaldi 2019, "Meta-learning with differentiable
closed-form solvers", arXiv 1805.08136, section 3.2.
"""

from typing import Any

import tensorflow as tf
from pydantic import Field

from components.episodes.types import Support
from components.meta_trainer.learners.base import Learner, ServingLimits, Traits, query_gradients
from components.meta_trainer.learners.prototypes import count_ways
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.options import options_class
from components.tasks.task import Task


@options_class
class R2d2Options:
    """Options of `r2d2`: where its two meta-learned numbers begin."""

    penalty: float = Field(default=0.3, gt=0)
    """The penalty lambda."""
    scale: float = Field(default=10.0, gt=0)
    """The factor s of the outputs."""


def r2d2(options: R2d2Options, network: Network, task: Task) -> Learner:
    """Ridge regression on the features; the network's head is not used."""

    def init(seed: int) -> dict[str, Any]:
        logarithms = {
            "log_penalty": tf.math.log(tf.constant(options.penalty)),
            "log_scale": tf.math.log(tf.constant(options.scale)),
        }
        return {"body": network.init(seed)["body"], "ridge": logarithms}

    def adapt_to(ways: int | None):
        def adapt(weights: Weights, support: Support) -> dict[str, Any]:
            features, statistics = network.features(weights, support.x, task.mask(support.y))
            n = count_ways(support.y) if ways is None else ways
            is_example = tf.cast(support.y >= 0, features.dtype)[..., None]
            x, mean = _centred(features, is_example)
            x = _unit(x) * is_example
            y, _ = _centred(tf.one_hot(support.y, n, dtype=x.dtype), is_example)
            penalty = tf.exp(weights["ridge"]["log_penalty"])
            kernel = tf.matmul(x, x, transpose_b=True)
            kernel += penalty * tf.eye(tf.shape(kernel)[-1], dtype=x.dtype)
            dual = tf.linalg.cholesky_solve(tf.linalg.cholesky(kernel), y)
            solution = tf.matmul(x, dual, transpose_a=True)
            return {"solution": solution, "mean": mean, "statistics": statistics}

        return adapt

    def predict(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tf.Tensor:
        features, _ = network.features(weights, query_x, statistics=adapted["statistics"])
        scale = tf.exp(weights["ridge"]["log_scale"])
        return scale * tf.matmul(_unit(features - adapted["mean"]), adapted["solution"])

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


def _centred(rows: tf.Tensor, is_example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The rows `[E, S, D]` less the mean of those that are examples, and 0 for others; the mean."""
    count = tf.maximum(tf.reduce_sum(is_example, axis=1, keepdims=True), 1)
    mean = tf.reduce_sum(rows * is_example, axis=1, keepdims=True) / count
    return (rows - mean) * is_example, mean


def _unit(rows: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(rows, axis=-1, epsilon=1e-9)
