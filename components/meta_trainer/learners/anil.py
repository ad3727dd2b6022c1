"""ANIL: MAML whose inner loop adapts the head only; the body is shared by all episodes.

References: Raghu et al. 2020, "Rapid Learning or Feature Reuse?", arXiv 1909.09157, section 4.
"""

import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.episodes.types import Support
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.learners.family import Adaptation, stepwise_learner
from components.meta_trainer.learners.inner_loop import stacked
from components.meta_trainer.network import HEAD, Network, head
from components.meta_trainer.types import Weights, merge
from components.tasks.task import Task


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class AnilOptions:
    """Options of `anil`."""

    inner_steps: int = Field(default=3, ge=0)
    """Steps on the support set in meta-training."""
    test_steps: int | None = Field(default=None, ge=0)
    """Steps when served; as many as in meta-training if null."""
    inner_rate: float = Field(default=0.4, gt=0)
    """alpha at the start, for the mean loss over the support set."""
    learn_rates: bool = True
    """Meta-learn alpha, one for the kernel and one for the bias."""


def anil(options: AnilOptions, network: Network, task: Task) -> Learner:
    """See the module. Features of the support set are computed once."""

    def init(seed: int) -> dict[str, tf.Tensor]:
        weights = network.init(seed)
        if options.learn_rates:
            weights |= {f"rate_{name}": tf.constant(options.inner_rate) for name in HEAD}
        return weights

    def begin(weights: Weights, support: Support) -> Adaptation:
        features, statistics = network.features(weights, support.x, task.mask(support.y))

        def step(number: tf.Tensor, fast: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            del number
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(fast)
                losses = task.loss(head(fast, features), support.y, support.y)
            gradients = tape.gradient(losses, fast)
            rates = {n: weights.get(f"rate_{n}", options.inner_rate) for n in HEAD}
            return {n: w - rates[n] * gradients[n] for n, w in fast.items()}

        return Adaptation(
            state=stacked(HEAD, weights, support),
            step=step,
            finish=lambda fast: merge(fast, statistics),
        )

    return stepwise_learner(
        network,
        task,
        init=init,
        begin=begin,
        inner_steps=options.inner_steps,
        test_steps=options.test_steps,
    )
