"""The interface of a learner: a meta-learning algorithm as a few pure functions.

A learner knows no TFX, no data set and no modality. It takes weights explicitly and returns new
ones; every function works on a stack of episodes at once.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import tensorflow as tf

from components.episodes.types import Episodes, Support
from components.meta_trainer.network import Network
from components.meta_trainer.training.parallel import CHUNK
from components.meta_trainer.types import Weights
from components.tasks.task import Task


class MetaGradients(NamedTuple):
    """What one meta-step computes from a stack of episodes.

    Attributes:
      gradients: as the meta-learned weights, averaged over the episodes.
      loss: scalar, the mean query loss.
      score: scalar, the mean query accuracy (or minus the mean squared error).
    """

    gradients: dict[str, tf.Tensor]
    loss: tf.Tensor
    score: tf.Tensor


class MetaOptimizer(NamedTuple):
    """How a learner's paper updates the meta-learned weights; configuration may overrule it."""

    rate: float = 1e-3
    schedule: str = "constant"
    clip_norm: float | None = None
    update: Literal["adam", "descent"] = "adam"


class Serves(NamedTuple):
    """What a trained learner can serve beyond what it was trained with, in a reader's words."""

    ways: str
    shots: str
    steps: str


class Learner(NamedTuple):
    """Attributes:
    init: `seed -> ` the meta-learned weights (no leading E).
    adapt: `(weights, support) -> ` adapted weights, tensors `[E, ...]`; all that an episode
      changes, so that `predict` needs nothing else of the support set.
    predict: `(weights, adapted, query_x [E, Q, ...]) -> ` outputs `[E, Q, N]`.
    meta_gradients: `(weights, episodes, progress) -> MetaGradients`; `progress` is the share of
      meta-training done, a scalar in 0..1.
    path: `(weights, support, query_x) -> ` outputs before and after each step,
      `[E, steps + 1, Q, N]`, or `None` for a learner that takes no steps.
    network: what it adapts.
    serves: what it can serve.
    meta_optimizer: its paper's.
    fixed_ways: whether the number of outputs is fixed by training.
    needs_classes: whether it makes no sense for float targets.
    order_matters: whether the order of the support set changes the result.
    chunk: how many episodes one core takes at once in meta-training, at most; what they keep
      between steps should fit into its cache.
    """

    init: Callable[[int], dict[str, tf.Tensor]]
    adapt: Callable[[Weights, Support], dict[str, tf.Tensor]]
    predict: Callable[[Weights, Weights, tf.Tensor], tf.Tensor]
    meta_gradients: Callable[[Weights, Episodes, tf.Tensor], MetaGradients]
    path: Callable[[Weights, Support, tf.Tensor], tf.Tensor] | None
    network: Network
    serves: Serves
    meta_optimizer: MetaOptimizer = MetaOptimizer()
    fixed_ways: bool = True
    needs_classes: bool = False
    order_matters: bool = False
    chunk: int = CHUNK


def gradients_of(
    loss_and_outputs: Callable[[Weights, Episodes, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    task: Task,
) -> Callable[[Weights, Episodes, tf.Tensor], MetaGradients]:
    """The meta-gradient by differentiating a meta-loss.

    Args:
      loss_and_outputs: `(weights, episodes, progress) -> (meta-loss [E], outputs [E, Q, N])`.
      task: scores the outputs.
    """

    def meta_gradients(weights: Weights, episodes: Episodes, progress: tf.Tensor) -> MetaGradients:
        weights = dict(weights)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            losses, outputs = loss_and_outputs(weights, episodes, progress)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, weights, unconnected_gradients="zero")
        score = task.score(outputs, episodes.query_y, episodes.support_y)
        return MetaGradients(gradients, loss, tf.reduce_mean(score))

    return meta_gradients
