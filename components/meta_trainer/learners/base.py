"""The interface of a learner: a meta-learning algorithm as a few pure functions.

A learner knows no TFX, no data set and no modality. It takes weights explicitly and returns new
ones; every function works on a stack of episodes at once.

Shape letters: E episodes, S support examples, Q query examples, N outputs (ways).
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import tensorflow as tf

from components.episodes.types import Episodes, Support
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.tasks.task import Task

OptimizerName = Literal["adam", "adamw", "sgd", "momentum"]


class MetaGradients(NamedTuple):
    """The result of one meta-step over a stack of episodes.

    Attributes:
      gradients: one tensor for each meta-learned weight, averaged over the episodes.
      loss: scalar, the mean query loss.
      score: scalar, the mean query accuracy (or minus the mean squared error).
    """

    gradients: dict[str, Any]
    loss: tf.Tensor
    score: tf.Tensor


GradientFunction = Callable[[Weights, Episodes, tf.Tensor], MetaGradients]
"""`(weights, episodes, share of meta-training that is done, a scalar in 0..1) -> ` the result."""


class MetaOptimizer(NamedTuple):
    """The outer optimizer of a learner's paper; the section `training` overrides each part.

    Attributes:
      learning_rate: of the meta-learned weights.
      schedule: "constant", "cosine" or "linear", how the learning rate falls.
      clip_norm: largest global norm of a meta-gradient; `None` for no limit.
      optimizer: name of the update rule (`training.optimizer.UPDATES`).
    """

    learning_rate: float = 1e-3
    schedule: str = "constant"
    clip_norm: float | None = None
    optimizer: OptimizerName = "adam"


class ServingLimits(NamedTuple):
    """What a trained learner can serve beyond what it was trained with, in a reader's words."""

    ways: str
    shots: str
    steps: str


class Traits(NamedTuple):
    """What a learner promises, and how it wants to be trained.

    Attributes:
      serves: what the trained learner can serve.
      fixed_ways: whether training fixes the number of outputs N.
      needs_classes: whether it requires class labels, so that float targets are refused.
      inductive: whether each query's prediction depends on the support set and that query alone,
        given a backbone that keeps this promise too. A model without it is never blessed.
      starts_from_support: whether what it predicts before its first inner step depends on the
        support set already, and so is no baseline without adaptation.
      over_encoders: whether it makes sense on a pretrained encoder. Learners with parameters for
        each weight and step, made for small networks that begin at random, are refused there.
      adapts_all: whether each episode adapts all weights, those too that others leave as they are.
      meta_optimizer: the outer optimizer of its paper.
      max_chunk: the largest number of episodes that one core should take at once in
        meta-training: what they keep between steps should fit into its cache. Two small episodes
        share the cost of starting a program.
      in_pieces: whether its meta-step runs in pieces (`kernels/pieces.py`) on large images.
    """

    serves: ServingLimits
    fixed_ways: bool = True
    needs_classes: bool = False
    inductive: bool = True
    starts_from_support: bool = False
    over_encoders: bool = True
    adapts_all: bool = False
    meta_optimizer: MetaOptimizer = MetaOptimizer()
    max_chunk: int = 2
    in_pieces: bool = True


class Learner(NamedTuple):
    """A meta-learning algorithm over a network, as pure functions and its traits.

    Attributes:
      init: `seed -> weights`, meta-learned, shared by all episodes (no leading E).
      adapt: `(weights, support) -> adapted`, a nest of tensors `[E, ...]`: all that `predict`
        needs of the support set.
      predict: `(weights, adapted, query_x [E, Q, ...]) -> outputs [E, Q, N]`.
      meta_gradients: see `GradientFunction`.
      path: `(weights, support, query_x) -> outputs [E, steps + 1, Q, N]` before and after each
        inner step; `None` for a learner that takes no steps.
      network: the network that it adapts.
      traits: what it promises, and how it wants to be trained.
    """

    init: Callable[[int], dict[str, Any]]
    adapt: Callable[[Weights, Support], dict[str, Any]]
    predict: Callable[[Weights, Weights, tf.Tensor], tf.Tensor]
    meta_gradients: GradientFunction
    path: Callable[[Weights, Support, tf.Tensor], tf.Tensor] | None
    network: Network
    traits: Traits

    @property
    def inductive(self) -> bool:
        """Whether each query's prediction depends on its support set and itself alone."""
        return self.traits.inductive and self.network.backbone.inductive


def gradients_of(
    loss_and_outputs: Callable[[Weights, Episodes, tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
    task: Task,
) -> GradientFunction:
    """The meta-gradient by differentiating a meta-loss; the task scores the outputs.

    `loss_and_outputs` is `(weights, episodes, progress) -> (meta-loss [E], outputs [E, Q, N])`.
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


def query_gradients(
    adapt: Callable[[Weights, Support], dict[str, Any]],
    predict: Callable[[Weights, Weights, tf.Tensor], tf.Tensor],
    task: Task,
) -> GradientFunction:
    """The meta-gradient of the query loss after adapting: min_theta sum over episodes of L_Q.

    `adapt` and `predict`, those of a `Learner`, must be differentiable.
    """

    def loss_and_outputs(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        del progress
        outputs = predict(weights, adapt(weights, episodes.support), episodes.query_x)
        return task.loss(outputs, episodes.query_y, episodes.support_y), outputs

    return gradients_of(loss_and_outputs, task)
