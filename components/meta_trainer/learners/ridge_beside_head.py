"""A ridge regression beside the network's head, for outputs of which only the direction matters.

    y(x) = h(x) / |h(x)| + c r(x) / sqrt(|r(x)|^2 + e^2),   r(x) = f(x) X' (X X' + lambda I)^-1 Y

h is the meta-learned head, f features and X those of the support set, Y its targets, all of r less
the support set's means. So what the support set shows of a task counts as much as what is known of
all tasks, however few features a query shares with it. Penalty lambda, c and e are meta-learned.

Reference: Bertinetto, Henriques, Torr, Vedaldi 2019, "Meta-learning with differentiable
closed-form solvers", arXiv 1805.08136, section 3.2 (the regression).
"""

from typing import Any

import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.learners.base import Learner, ServingLimits, Traits, query_gradients
from components.meta_trainer.network import Network, head_outputs
from components.meta_trainer.types import Weights
from components.tasks.task import Task

FIRST_FLOOR = 0.03  # where e begins


def ridge_beside_head(penalty: float, network: Network, task: Task) -> Learner:
    """Its path has two entries: the head's predictions, and the sums."""

    def init(seed: int) -> dict[str, Any]:
        logarithms = {"log_penalty": penalty, "log_floor": FIRST_FLOOR, "log_share": 1.0}
        ridge = {name: tf.math.log(tf.constant(value)) for name, value in logarithms.items()}
        return network.init(seed) | {"ridge": ridge}

    def adapt(weights: Weights, support: Support) -> dict[str, Any]:
        is_example = task.mask(support.y)
        features, statistics = network.features(weights, support.x, is_example)
        x, mean = centred(features, is_example[..., None])
        y, _ = centred(support.y, is_example[..., None])
        kernel = tf.matmul(x, x, transpose_b=True)
        kernel += tf.exp(weights["ridge"]["log_penalty"]) * tf.eye(tf.shape(x)[1])
        dual = tf.linalg.cholesky_solve(tf.linalg.cholesky(kernel), y)
        return {"x": x, "dual": dual, "mean": mean, "statistics": statistics}

    def both(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The head's directions, and the sums."""
        features, _ = network.features(weights, query_x, statistics=adapted["statistics"])
        known = tf.math.l2_normalize(head_outputs(weights["head"], features), axis=-1, epsilon=1e-9)
        nearness = tf.matmul(features - adapted["mean"], adapted["x"], transpose_b=True)
        shown = tf.matmul(nearness, adapted["dual"])
        ridge = weights["ridge"]
        squares = tf.reduce_sum(shown**2, axis=-1, keepdims=True)
        shown *= tf.exp(ridge["log_share"]) * tf.math.rsqrt(
            squares + tf.exp(2 * ridge["log_floor"])
        )
        return known, known + shown

    def predict(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tf.Tensor:
        return both(weights, adapted, query_x)[1]

    def path(weights: Weights, support: Support, query_x: tf.Tensor) -> tf.Tensor:
        return tf.stack(both(weights, adapt(weights, support), query_x), axis=1)

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
