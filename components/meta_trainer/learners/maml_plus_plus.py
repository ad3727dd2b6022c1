"""MAML++: what makes MAML train steadily.

  multi-step loss      sum_i v_i L_Q(theta'_i), v annealed to the last step alone     (eq. 3)
  learned rates        one for each weight tensor and each step                       (LSLR)
  derivative order     first-order gradients early in meta-training, then second      (DA)
  cosine schedule      of the learning rate                                           (CA)

Left out: normalisation with statistics of each step's own, which need the queries' moments; the
network's normalisation stays as configured.

References: Antoniou, Edwards, Storkey 2019, "How to train your MAML", arXiv 1810.09502, section 4.
"""

from typing import Any

import tensorflow as tf
from pydantic import Field

from components.episodes.types import Episodes
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner, MetaOptimizer, gradients_of
from components.meta_trainer.learners.heads import head_start
from components.meta_trainer.learners.repeat import repeat
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.options import options_class
from components.tasks.task import Task


@options_class
class MamlPlusPlusOptions(inner_loop.HeadOptions):
    """Options of `maml_plus_plus`. The paper takes 5 steps."""

    inner_steps: int = Field(default=3, ge=1)
    """Steps on the support set, in meta-training and when served: each has rates of its own."""
    inner_learning_rate: float = Field(default=0.4, gt=0)
    """alpha at the start, for the mean loss over the support set."""
    multi_step_share: float = Field(default=0.15, ge=0, le=1)
    """Share of meta-training in which earlier steps' losses count."""
    first_order_share: float = Field(default=0.3, ge=0, le=1)
    """Share of meta-training with first-order gradients."""


def maml_plus_plus(options: MamlPlusPlusOptions, network: Network, task: Task) -> Learner:
    """MAML++; all weights but those of normalisation are adapted."""
    steps = options.inner_steps
    start = inner_loop.start_adaptable(network)

    def init(seed: int) -> dict[str, Any]:
        weights = network.init(seed)
        adapted = inner_loop.adaptable(network, weights)
        rate = options.inner_learning_rate
        rates = tf.nest.map_structure(lambda _: tf.fill([steps], rate), adapted)
        return weights | {"rates": rates}

    def learning_rates(weights: Weights, step: tf.Tensor) -> Weights:
        return tf.nest.map_structure(lambda rates: rates[step], weights["rates"])

    loop = inner_loop.InnerLoop(network, task, start, learning_rates)

    def query_loss(weights: Weights, fast: Weights, episodes: Episodes):
        adapted = inner_loop.add_statistics(network, task, weights, fast, episodes.support)
        outputs = inner_loop.network_outputs(network, weights, adapted, episodes.query_x)
        return task.loss(outputs, episodes.query_y, episodes.support_y), outputs

    def meta_loss(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        head = head_start(network, task)(weights, episodes.support, network.outputs)
        weights = {**weights, "head": head}
        shares = step_shares(progress / max(options.multi_step_share, 1e-6), steps)
        # One program for both orders: two would take twice as long to compile.
        first_order = progress < options.first_order_share
        take_step = inner_loop.inner_step(loop, weights, episodes.support, first_order=first_order)
        # The sum of the steps' query losses goes through the loop beside the fast weights.
        fast = start(weights, episodes.support)
        zero = tf.zeros(tf.shape(episodes.query_y)[:1], fast["head"]["bias"].dtype)

        def step(number: tf.Tensor, state: dict[str, Any]) -> dict[str, Any]:
            fast, total = take_step(number, state["fast"]), state["total"]
            losses, _ = query_loss(weights, fast, episodes)
            return {"fast": fast, "total": total + tf.cast(shares[number], total.dtype) * losses}

        state = repeat(step, {"fast": fast, "total": zero}, steps)
        _, outputs = query_loss(weights, state["fast"], episodes)
        return state["total"], outputs

    return inner_loop.stepwise_learner(
        network,
        task,
        init=init,
        plan=inner_loop.gradient_descent(loop),
        options=inner_loop.StepOptions(inner_steps=steps),
        meta_gradients=gradients_of(meta_loss, task),
        meta_optimizer=MetaOptimizer(learning_rate=1e-3, schedule="cosine"),
        over_encoders=False,
    )


def step_shares(annealed: tf.Tensor, steps: int) -> tf.Tensor:
    """Weights v `[steps]` of the steps' losses: even at first, all on the last step in the end.

    `annealed`, a scalar of at least 0, is the share of the annealing done: from 1 on the last step
    alone counts. The weights are at least 0, of sum 1.
    """
    earlier = (1 - tf.clip_by_value(annealed, 0.0, 1.0)) / steps
    return tf.concat([tf.fill([steps - 1], earlier), [1 - (steps - 1) * earlier]], axis=0)
