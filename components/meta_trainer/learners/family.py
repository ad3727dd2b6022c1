"""From an inner loop to a learner: what MAML and its relatives have in common.

min_theta  sum over episodes of  L_Q(theta'_K)
"""

from collections.abc import Callable

import tensorflow as tf

from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner, MetaOptimizer, Serves, gradients_of
from components.meta_trainer.learners.inner_loop import InnerLoop
from components.meta_trainer.repeat import answers_along
from components.meta_trainer.types import Episodes, Support, Weights


def gradient_learner(
    loop: InnerLoop,
    *,
    init: Callable[[int], dict[str, tf.Tensor]],
    inner_steps: int,
    test_steps: int | None,
    first_order: bool = False,
    meta_gradients: Callable | None = None,
    meta_optimizer: MetaOptimizer = MetaOptimizer(),  # noqa: B008 (a constant)
    fixed_ways: bool = True,
) -> Learner:
    """A learner that adapts by the inner loop.

    Args:
      loop: start and rates.
      init: `seed -> ` meta-learned weights.
      inner_steps: in meta-training.
      test_steps: when served; as many as in meta-training if `None`.
      first_order: of the meta-gradient.
      meta_gradients: in place of the gradient of the query loss after the last step.
      meta_optimizer: the paper's.
      fixed_ways: whether the head is meta-learned for N ways.
    """
    network, objective = loop.network, loop.objective
    served_steps = inner_steps if test_steps is None else test_steps

    def finished(weights: Weights, fast: Weights, support: Support) -> dict[str, tf.Tensor]:
        return inner_loop.with_statistics(network, objective, weights, fast, support)

    def adapt(
        weights: Weights, support: Support, steps: int = served_steps
    ) -> dict[str, tf.Tensor]:
        fast = inner_loop.fast_weights(loop, weights, support, steps, first_order=first_order)
        return finished(weights, fast, support)

    def path(weights: Weights, support: Support, query_x: tf.Tensor) -> tf.Tensor:
        return answers_along(
            inner_loop.inner_step(loop, weights, support),
            loop.start(weights, support),
            served_steps,
            lambda fast: predict(weights, finished(weights, fast, support), query_x),
        )

    def predict(weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
        return inner_loop.predict(network, weights, adapted, x)

    def meta_loss(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        del progress
        adapted = adapt(weights, episodes.support, inner_steps)
        outputs = predict(weights, adapted, episodes.query_x)
        return objective.loss(outputs, episodes.query_y, episodes.support_y), outputs

    return Learner(
        init=init,
        adapt=adapt,
        predict=predict,
        meta_gradients=meta_gradients or gradients_of(meta_loss, objective),
        path=path,
        network=network,
        serves=Serves(
            ways=f"up to {network.outputs}, as trained" if fixed_ways else "any number",
            shots="any number, also uneven",
            steps=f"{served_steps}, fixed at export (trained with {inner_steps})",
        ),
        meta_optimizer=meta_optimizer,
        fixed_ways=fixed_ways,
    )
