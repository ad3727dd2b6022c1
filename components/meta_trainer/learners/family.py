"""From a way to adapt to a learner: what all learners that answer after adapting have in common.

min_theta  sum over episodes of  L_Q(theta'_K)
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from components.episodes.types import Episodes, Support
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import (
    Learner,
    MetaGradients,
    MetaOptimizer,
    Serves,
    gradients_of,
)
from components.meta_trainer.learners.inner_loop import InnerLoop
from components.meta_trainer.learners.repeat import Step, answers_along, repeat
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.tasks.task import Task


class Adaptation(NamedTuple):
    """How a stack of support sets is adapted to, step by step.

    Attributes:
      state: before any step; tensors `[E, ...]`.
      step: one step, as `repeat` takes it.
      finish: `state -> ` adapted weights, all that `predict` needs of the support set.
    """

    state: dict[str, tf.Tensor]
    step: Step
    finish: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]


Begin = Callable[[Weights, Support], Adaptation]


def stepwise_learner(
    network: Network,
    task: Task,
    *,
    init: Callable[[int], dict[str, tf.Tensor]],
    begin: Begin,
    inner_steps: int,
    test_steps: int | None,
    begin_training: Begin | None = None,
    meta_gradients: Callable[[Weights, Episodes, tf.Tensor], MetaGradients] | None = None,
    meta_optimizer: MetaOptimizer = MetaOptimizer(),  # noqa: B008 (a constant)
    fixed_ways: bool = True,
    needs_classes: bool = False,
) -> Learner:
    """A learner that takes steps on the support set.

    Args:
      network, task: what is adapted, and by which loss.
      init: `seed -> ` meta-learned weights.
      begin: `(weights, support) -> Adaptation`.
      inner_steps: in meta-training.
      test_steps: when served; as many as in meta-training if `None`.
      begin_training: in place of `begin` in meta-training.
      meta_gradients: in place of the gradient of the query loss after the last step.
      meta_optimizer: the paper's.
      fixed_ways: whether the head is meta-learned for N ways.
      needs_classes: whether it makes no sense for float targets.
    """
    served_steps = inner_steps if test_steps is None else test_steps

    def adapt(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
        return adapted(begin(weights, support), served_steps)

    def adapt_in_training(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
        return adapted((begin_training or begin)(weights, support), inner_steps)

    def path(weights: Weights, support: Support, query_x: tf.Tensor) -> tf.Tensor:
        state, step, finish = begin(weights, support)
        return answers_along(
            step, state, served_steps, lambda state: predict(weights, finish(state), query_x)
        )

    def predict(weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
        return inner_loop.predict(network, weights, adapted, x)

    return Learner(
        init=init,
        adapt=adapt,
        predict=predict,
        meta_gradients=meta_gradients or query_gradients(adapt_in_training, predict, task),
        path=path,
        network=network,
        serves=Serves(
            ways=f"up to {network.outputs}, as trained" if fixed_ways else "any number",
            shots="any number, also uneven",
            steps=f"{served_steps}, fixed at export (trained with {inner_steps})",
        ),
        meta_optimizer=meta_optimizer,
        fixed_ways=fixed_ways,
        needs_classes=needs_classes,
    )


def descent(loop: InnerLoop, *, first_order: bool = False) -> Begin:
    """The inner loop of the MAML family, as a stepwise learner begins it."""

    def begin(weights: Weights, support: Support) -> Adaptation:
        def finish(fast: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return inner_loop.with_statistics(loop.network, loop.task, weights, fast, support)

        step = inner_loop.inner_step(loop, weights, support, first_order=first_order)
        return Adaptation(loop.start(weights, support), step, finish)

    return begin


def adapted(adaptation: Adaptation, steps: int) -> dict[str, tf.Tensor]:
    """The adapted weights after so many steps."""
    return adaptation.finish(repeat(adaptation.step, adaptation.state, steps))


def query_gradients(
    adapt: Callable[[Weights, Support], dict[str, tf.Tensor]],
    predict: Callable[[Weights, Weights, tf.Tensor], tf.Tensor],
    task: Task,
) -> Callable[[Weights, Episodes, tf.Tensor], MetaGradients]:
    """The gradient of the query loss of an adapted learner, by its meta-learned weights."""

    def loss_and_outputs(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        del progress
        outputs = predict(weights, adapt(weights, episodes.support), episodes.query_x)
        return task.loss(outputs, episodes.query_y, episodes.support_y), outputs

    return gradients_of(loss_and_outputs, task)
