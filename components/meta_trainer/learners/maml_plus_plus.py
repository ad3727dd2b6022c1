"""MAML++: what makes MAML train steadily.

  multi-step loss      sum_i v_i L_Q(theta'_i), v annealed to the last step alone     (eq. 3)
  learned rates        one for each weight tensor and each step                       (LSLR)
  derivative order     first-order gradients early in meta-training, then second      (DA)
  cosine schedule      of the meta-rate                                               (CA)

Not taken over: normalisation with statistics of each step's own, which need the queries' moments;
the network's normalisation stays as configured.

References: Antoniou, Edwards, Storkey 2019, "How to train your MAML", arXiv 1810.09502, section 4.
"""

import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.episodes.types import Episodes, Support
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner, MetaOptimizer, gradients_of
from components.meta_trainer.learners.family import descent, stepwise_learner
from components.meta_trainer.learners.repeat import repeat
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.tasks.task import Task


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class MamlPlusPlusOptions:
    """Options of `maml_plus_plus`. The paper takes 5 steps."""

    inner_steps: int = Field(default=3, ge=1)
    """Steps on the support set, in meta-training and when served: each has rates of its own."""
    inner_rate: float = Field(default=0.4, gt=0)
    """alpha at the start, for the mean loss over the support set."""
    multi_step_share: float = Field(default=0.15, ge=0, le=1)
    """Share of meta-training in which earlier steps' losses count."""
    first_order_share: float = Field(default=0.3, ge=0, le=1)
    """Share of meta-training with first-order gradients."""


def maml_plus_plus(options: MamlPlusPlusOptions, network: Network, task: Task) -> Learner:
    """See the module. All weights but those of normalisation are adapted."""
    steps = options.inner_steps

    def init(seed: int) -> dict[str, tf.Tensor]:
        weights = network.init(seed)
        names = inner_loop.adaptable(network, weights)
        return weights | {f"rate_{name}": tf.fill([steps], options.inner_rate) for name in names}

    def start(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
        return inner_loop.stacked(inner_loop.adaptable(network, weights), weights, support)

    def rate(weights: Weights, step: tf.Tensor, name: str) -> tf.Tensor:
        return weights[f"rate_{name}"][step]

    loop = inner_loop.InnerLoop(network, task, start, rate)

    def answered(weights: Weights, fast: Weights, episodes: Episodes):
        adapted = inner_loop.with_statistics(network, task, weights, fast, episodes.support)
        outputs = inner_loop.predict(network, weights, adapted, episodes.query_x)
        return task.loss(outputs, episodes.query_y, episodes.support_y), outputs

    def meta_loss(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        shares = step_shares(progress / max(options.multi_step_share, 1e-6), steps)
        # One program for both orders: two would take twice as long to compile.
        first_order = progress < options.first_order_share
        descend = inner_loop.inner_step(loop, weights, episodes.support, first_order=first_order)
        # The sum of the steps' query losses goes through the loop beside the fast weights.
        fast = start(weights, episodes.support)
        zero = tf.zeros(tf.shape(episodes.query_y)[:1], fast["head_bias"].dtype)

        def step(number: tf.Tensor, state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            total = state["total"]
            fast = descend(number, {n: w for n, w in state.items() if n != "total"})
            query_loss, _ = answered(weights, fast, episodes)
            return fast | {"total": total + tf.cast(shares[number], total.dtype) * query_loss}

        state = repeat(step, fast | {"total": zero}, steps)
        total = state.pop("total")
        _, outputs = answered(weights, state, episodes)
        return total, outputs

    return stepwise_learner(
        network,
        task,
        init=init,
        begin=descent(loop),
        inner_steps=steps,
        test_steps=None,
        meta_gradients=gradients_of(meta_loss, task),
        meta_optimizer=MetaOptimizer(rate=1e-3, schedule="cosine"),
    )


def step_shares(annealed: tf.Tensor, steps: int) -> tf.Tensor:
    """v_1..v_steps: even at first, all on the last step from `annealed` 1 on.

    Args:
      annealed: share of the annealing done, a scalar of at least 0.
      steps: how many.

    Returns:
      `[steps]`, at least 0, of sum 1.
    """
    earlier = (1 - tf.clip_by_value(annealed, 0.0, 1.0)) / steps
    return tf.concat([tf.fill([steps - 1], earlier), [1 - (steps - 1) * earlier]], axis=0)
