"""R2-D2: a ridge regression of the labels on the features of the support set, solved exactly.

    W = X' (X X' + lambda I)^-1 Y,   p(y = k | x) = softmax_k(s x W)

The rows of X are the features of the support set, those of Y its labels, one-hot; of both the mean
over the support set is taken off, and then each feature vector has length 1. The penalty lambda and
the scale s are meta-learned with the backbone. As long as there are fewer examples than features
the solution costs little more than prototypes, and it is better where there are several shots.

Of float targets, p is the answer itself: y = mean(Y) + x W. Each row is a position that shares the
head, such as a pixel, so there may be far more rows than features; then X' X, no larger than the
features, is cheaper than X X', and gives the same W:

    W = (X' X + lambda I)^-1 X' Y

Rows differ in length as they did, for it says something of the target; all are divided by one
number, so that their mean square is 1.

Where outputs begin as features, the head's are kept beside it (`ridge_beside_head.py`).

Reference: Bertinetto, Henriques, Torr, Vedaldi 2019, "Meta-learning with differentiable
closed-form solvers", arXiv 1805.08136, section 3.2.
"""

from typing import Any

import tensorflow as tf
from pydantic import Field

from components.episodes.types import Support
from components.meta_trainer.learners.base import Learner, ServingLimits, Traits, query_gradients
from components.meta_trainer.learners.prototypes import count_ways
from components.meta_trainer.learners.ridge_beside_head import ridge_beside_head
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.options import options_class
from components.tasks.task import Task


@options_class
class R2d2Options:
    """Options of `r2d2`: where its meta-learned numbers begin."""

    penalty: float = Field(default=0.3, gt=0)
    """The penalty lambda; where outputs begin as features it stays, and is not learned."""
    scale: float = Field(default=10.0, gt=0)
    """The factor s of the outputs; of float targets it is 1, and not learned."""


def r2d2(options: R2d2Options, network: Network, task: Task) -> Learner:
    """Ridge regression on the features; the head is used where outputs begin as features."""
    if network.backbone.copied:
        return ridge_beside_head(options.penalty, network, task)
    return (_of_classes if task.classes else _of_targets)(options, network, task)


def _of_classes(options: R2d2Options, network: Network, task: Task) -> Learner:
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

    # The ways of meta-training are known, and XLA needs static shapes.
    meta_gradients = query_gradients(adapt_to(network.outputs), predict, task)
    limits = ServingLimits(ways="any number", shots="any number, also uneven", steps="takes none")
    traits = Traits(limits, fixed_ways=False)
    return Learner(init, adapt_to(None), predict, meta_gradients, None, network, traits)


def _of_targets(options: R2d2Options, network: Network, task: Task) -> Learner:
    def init(seed: int) -> dict[str, Any]:
        penalty = tf.math.log(tf.constant(options.penalty))
        return {"body": network.init(seed)["body"], "ridge": {"log_penalty": penalty}}

    def adapt(weights: Weights, support: Support) -> dict[str, Any]:
        features, statistics = network.features(weights, support.x, task.mask(support.y))
        rows, y = _rows(features, features.shape[-1]), _rows(support.y, network.outputs)
        y = tf.cast(y, rows.dtype)
        mean, y_mean = (tf.reduce_mean(t, axis=1, keepdims=True) for t in (rows, y))
        x, y = rows - mean, y - y_mean
        square = tf.reduce_mean(tf.reduce_sum(tf.square(x), axis=2), axis=1) + 1e-12
        penalty = tf.exp(weights["ridge"]["log_penalty"]) * square[:, None, None]
        gram = tf.matmul(x, x, transpose_a=True)
        gram += penalty * tf.eye(tf.shape(gram)[-1], dtype=x.dtype)
        solution = tf.linalg.cholesky_solve(
            tf.linalg.cholesky(gram), tf.matmul(x, y, transpose_a=True)
        )
        offset = y_mean - tf.matmul(mean, solution)
        return {"solution": solution, "offset": offset, "statistics": statistics}

    def predict(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tf.Tensor:
        features, _ = network.features(weights, query_x, statistics=adapted["statistics"])
        outputs = tf.matmul(_rows(features, features.shape[-1]), adapted["solution"])
        shape = tf.concat([tf.shape(features)[:-1], [network.outputs]], axis=0)
        return tf.reshape(outputs + adapted["offset"], shape)

    limits = ServingLimits(ways="one", shots="any number", steps="takes none")
    meta_gradients = query_gradients(adapt, predict, task)
    return Learner(init, adapt, predict, meta_gradients, None, network, Traits(limits))


def _rows(values: tf.Tensor, size: int) -> tf.Tensor:
    """`[E, B, ..., size]`, or what it is when flat, as rows `[E, n, size]`."""
    return tf.reshape(values, [tf.shape(values)[0], -1, size])


def _centred(rows: tf.Tensor, is_example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The rows `[E, S, D]` less the mean of those that are examples, and 0 for others; the mean."""
    count = tf.maximum(tf.reduce_sum(is_example, axis=1, keepdims=True), 1)
    mean = tf.reduce_sum(rows * is_example, axis=1, keepdims=True) / count
    return (rows - mean) * is_example, mean


def _unit(rows: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(rows, axis=-1, epsilon=1e-9)
