"""ANIL: MAML whose inner loop adapts the head only; the body is shared by all episodes.

References: Raghu et al. 2020, "Rapid Learning or Feature Reuse?", arXiv 1909.09157, section 4.
"""

from typing import Any

import tensorflow as tf
from pydantic import Field

from components.episodes.types import Support
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.learners.maml import equal_rates
from components.meta_trainer.network import Network, head_outputs
from components.meta_trainer.types import Weights
from components.options import options_class
from components.tasks.task import Task


@options_class
class AnilOptions(inner_loop.HeadOptions, inner_loop.InnerLoopOptions):
    """Options of `anil`."""

    inner_steps: int = Field(default=3, ge=0)
    """Gradient steps on the support set in meta-training."""
    learn_rates: bool = True
    """Meta-learn alpha, one for the kernel and one for the bias."""


def anil(options: AnilOptions, network: Network, task: Task) -> Learner:
    """ANIL; features of the support set are computed once."""

    def init(seed: int) -> dict[str, Any]:
        weights = network.init(seed)
        if options.learn_rates:
            head = inner_loop.adaptable(network, weights)["head"]
            weights["rates"] = equal_rates({"head": head}, options.inner_learning_rate)
        return weights

    def plan(weights: Weights, support: Support) -> inner_loop.Adaptation:
        features, statistics = network.features(weights, support.x, task.mask(support.y))

        def step(number: tf.Tensor, fast: dict[str, Any]) -> dict[str, Any]:
            del number
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(fast)
                losses = task.loss(head_outputs(fast["head"], features), support.y, support.y)
            rates = weights.get("rates", options.inner_learning_rate)
            return inner_loop.descend(fast, tape.gradient(losses, fast), rates)

        state = {"head": dict(weights["head"])}
        return inner_loop.Adaptation(state, step, lambda fast: fast | {"statistics": statistics})

    return inner_loop.stepwise_learner(network, task, init=init, plan=plan, options=options)
