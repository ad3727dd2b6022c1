"""A ridge regression that is drawn to the network's head, the mean of a meta-learned prior.

    W = W0 + X' (X X' + lambda I)^-1 (s Y - F W0),   y(x) = f W

F are the features of the support set, X the same less their mean, W0 the meta-learned head, Y the
targets. Of the residuals, too, the mean is taken off, and added to every prediction. Penalty lambda
and scale s are meta-learned. W is the mean of the posterior of a Bayesian linear regression.

Reference: Harrison, Sharma, Pavone 2018, "Meta-Learning Priors for Efficient Online Bayesian
Regression", arXiv 1807.08912, section 3.
"""

from typing import Any

import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.learners.base import Learner, ServingLimits, Traits, query_gradients
from components.meta_trainer.network import Network, head_outputs
from components.meta_trainer.types import Weights
from components.tasks.task import Task


def ridge_about_head(penalty: float, network: Network, task: Task) -> Learner:
    """Its path has two entries: the head's predictions, and those of the regression."""

    def init(seed: int) -> dict[str, Any]:
        logarithms = {"log_penalty": tf.math.log(tf.constant(penalty))}
        return network.init(seed) | {"ridge": logarithms | {"log_scale": tf.constant(0.0)}}

    def adapt(weights: Weights, support: Support) -> dict[str, Any]:
        is_example = task.mask(support.y)
        features, statistics = network.features(weights, support.x, is_example)
        is_example = is_example[..., None]
        y = tf.exp(weights["ridge"]["log_scale"]) * support.y
        residual, offset = centred(y - head_outputs(weights["head"], features), is_example)
        x, mean = centred(features, is_example)
        kernel = tf.matmul(x, x, transpose_b=True)
        kernel += tf.exp(weights["ridge"]["log_penalty"]) * tf.eye(tf.shape(x)[1])
        dual = tf.linalg.cholesky_solve(tf.linalg.cholesky(kernel), residual)
        return {"x": x, "dual": dual, "mean": mean, "offset": offset, "statistics": statistics}

    def predict(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tf.Tensor:
        features, _ = network.features(weights, query_x, statistics=adapted["statistics"])
        nearness = tf.matmul(features - adapted["mean"], adapted["x"], transpose_b=True)
        correction = tf.matmul(nearness, adapted["dual"]) + adapted["offset"]
        return head_outputs(weights["head"], features) + correction

    def path(weights: Weights, support: Support, query_x: tf.Tensor) -> tf.Tensor:
        adapted = adapt(weights, support)
        features, _ = network.features(weights, query_x, statistics=adapted["statistics"])
        outputs = head_outputs(weights["head"], features), predict(weights, adapted, query_x)
        return tf.stack(outputs, axis=1)

    return Learner(
        init=init,
        adapt=adapt,
        predict=predict,
        meta_gradients=query_gradients(adapt, predict, task),
        path=path,  # without the solution and with it
        network=network,
        traits=Traits(
            ServingLimits(ways="one task", shots="any number", steps="takes none"),
            needs_classes=bool(network.backbone.positions),  # one solution for all, not for each
        ),
    )


def centred(rows: tf.Tensor, is_example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The rows `[E, S, D]` less the mean of those that are examples, and 0 for others; the mean."""
    count = tf.maximum(tf.reduce_sum(is_example, axis=1, keepdims=True), 1)
    mean = tf.reduce_sum(rows * is_example, axis=1, keepdims=True) / count
    return (rows - mean) * is_example, mean
