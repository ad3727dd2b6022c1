"""Ridge regression and a table of words beside the head, where only an output's direction matters.

    y(x) = h(x) / |h(x)| + a r(x) / sqrt(|r(x)|^2 + b^2) + c w(x) / sqrt(|w(x)|^2 + d^2)
    r(x) = z(x) Z' (Z Z' + lambda I)^-1 Y

h is the meta-learned head. z are the features that are copied into its outputs, Z those of the
support set, Y its targets, all of r less the support set's means; w translates the words of x
(`word_table.py`). So what the support set shows of a task counts beside what is known of all tasks.

Neither z nor lambda, a, b, c, d are meta-learned: the head comes to know the tasks of meta-training
by heart, so that what they teach of the others' shares is not true of a new task. (In a search on
other shares than these, learned ones had lower recall in languages that were not trained on.)

Reference: Bertinetto, Henriques, Torr, Vedaldi 2019, "Meta-learning with differentiable
closed-form solvers", arXiv 1805.08136, section 3.2 (the regression).
"""

from typing import Any

import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.learners import word_table
from components.meta_trainer.learners.base import Learner, ServingLimits, Traits, query_gradients
from components.meta_trainer.network import Network, head_outputs
from components.meta_trainer.types import Weights
from components.tasks.task import Task

RIDGE_SHARE, RIDGE_FLOOR = 0.7, 0.6  # a and b
WORDS_SHARE, WORDS_FLOOR = 1.2, 3.0  # c and d


def ridge_beside_head(penalty: float, network: Network, task: Task) -> Learner:
    """Its path has two entries: the head's predictions, and the sums."""
    copied, words = network.backbone.copied, network.backbone.words

    def adapt(weights: Weights, support: Support) -> dict[str, Any]:
        is_example = task.mask(support.y)
        features, statistics = network.features(weights, support.x, is_example)
        counts = features[..., -copied:]
        x, mean = centred(counts, is_example[..., None])
        y, _ = centred(support.y, is_example[..., None])
        kernel = tf.matmul(x, x, transpose_b=True) + penalty * tf.eye(tf.shape(x)[1])
        dual = tf.linalg.cholesky_solve(tf.linalg.cholesky(kernel), y)
        fitted = word_table.fit_table(counts[..., :words], support.y[..., :words], is_example)
        return {"x": x, "dual": dual, "mean": mean, "statistics": statistics, "words": fitted}

    def both(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tf.Tensor:
        """The head's directions and the sums, `[E, 2, Q, N]`."""
        features, _ = network.features(weights, query_x, statistics=adapted["statistics"])
        known = tf.math.l2_normalize(head_outputs(weights["head"], features), axis=-1, epsilon=1e-9)
        counts = features[..., -copied:]
        nearness = tf.matmul(counts - adapted["mean"], adapted["x"], transpose_b=True)
        shown = RIDGE_SHARE * _direction(tf.matmul(nearness, adapted["dual"]), RIDGE_FLOOR)
        translated = word_table.translate(adapted["words"], counts[..., :words])
        translated = WORDS_SHARE * _direction(translated, WORDS_FLOOR)
        shown += tf.pad(translated, [[0, 0], [0, 0], [0, network.outputs - words]])
        return tf.stack([known, known + shown], axis=1)

    def predict(weights: Weights, adapted: Weights, query_x: tf.Tensor) -> tf.Tensor:
        return both(weights, adapted, query_x)[:, 1]

    def path(weights: Weights, support: Support, query_x: tf.Tensor) -> tf.Tensor:
        return both(weights, adapt(weights, support), query_x)

    return Learner(
        init=network.init,
        adapt=adapt,
        predict=predict,
        meta_gradients=query_gradients(adapt, predict, task),
        path=path,  # without the support set and with it
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


def _direction(rows: tf.Tensor, floor: float) -> tf.Tensor:
    """Rows of length 1, shorter where their length is not much above the floor."""
    return rows * tf.math.rsqrt(tf.reduce_sum(rows**2, axis=-1, keepdims=True) + floor**2)
