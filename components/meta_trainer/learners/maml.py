"""MAML: a starting point from which a few gradient steps suffice.

    min_theta  sum_tasks L_Q(theta'_K),   theta'_{k+1} = theta'_k - alpha grad L_S(theta'_k)

and FOMAML, its first-order approximation: theta'_K is treated as theta plus a constant.

References:
  Finn, Abbeel, Levine 2017, "Model-Agnostic Meta-Learning", arXiv 1703.03400, algorithm 2 and
  section 5.2 (first order);
  learned rates: Antoniou et al. 2019, "How to train your MAML", arXiv 1810.09502, section 4.
"""

import dataclasses
from typing import Any

import tensorflow as tf
from pydantic import Field

from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.options import options_class
from components.tasks.task import Task


@options_class
class FomamlOptions(inner_loop.HeadOptions, inner_loop.InnerLoopOptions):
    """Options of `fomaml`."""

    inner_steps: int = Field(default=3, ge=0)
    """Gradient steps on the support set in meta-training."""
    learn_rates: bool = True
    """Meta-learn alpha, one for each weight tensor, starting at `inner_learning_rate`."""


@options_class
class MamlOptions(FomamlOptions):
    """Options of `maml`."""

    inner_steps: int = Field(default=1, ge=0)
    """Gradient steps on the support set in meta-training."""
    first_order: bool = False
    """Ignore how the inner gradients depend on theta."""


def maml(options: MamlOptions, network: Network, task: Task) -> Learner:
    """MAML; all weights but those of normalisation are adapted."""

    def init(seed: int) -> dict[str, Any]:
        weights = network.init(seed)
        if options.learn_rates:
            adapted = inner_loop.adaptable(network, weights)
            weights["rates"] = equal_rates(adapted, options.inner_learning_rate)
        return weights

    def learning_rates(weights: Weights, step: tf.Tensor) -> Weights | float:
        return weights.get("rates", options.inner_learning_rate)

    start = inner_loop.start_adaptable(network)
    loop = inner_loop.InnerLoop(network, task, start, learning_rates)
    plan = inner_loop.gradient_descent(loop, first_order=options.first_order)
    return inner_loop.stepwise_learner(network, task, init=init, plan=plan, options=options)


def equal_rates(weights: Weights, rate: float) -> dict[str, Any]:
    """The same learning rate for each weight tensor, to be meta-learned."""
    # A tensor for each: an eager tape adds up the gradients of one that is used for several.
    return tf.nest.map_structure(lambda _: tf.constant(rate), dict(weights))


def fomaml(options: FomamlOptions, network: Network, task: Task) -> Learner:
    """MAML whose meta-gradient is that of the query loss at the adapted weights."""
    return maml(MamlOptions(**dataclasses.asdict(options), first_order=True), network, task)
