"""MAML: a starting point from which a few gradient steps suffice.

    min_theta  sum_tasks L_Q(theta'_K),   theta'_{k+1} = theta'_k - alpha grad L_S(theta'_k)

and FOMAML, its first-order approximation: theta'_K is treated as theta plus a constant.

References:
  Finn, Abbeel, Levine 2017, "Model-Agnostic Meta-Learning", arXiv 1703.03400, algorithm 2 and
  section 5.2 (first order);
  learned rates: Antoniou et al. 2019, "How to train your MAML", arXiv 1810.09502, section 4.
"""

import dataclasses

import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.episodes.types import Support
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.learners.family import descent, stepwise_learner
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.tasks.task import Task


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class FomamlOptions:
    """Options of `fomaml`."""

    inner_steps: int = Field(default=3, ge=0)
    """Gradient steps on the support set in meta-training."""
    test_steps: int | None = Field(default=None, ge=0)
    """Steps when served and evaluated; as many as in meta-training if null."""
    inner_rate: float = Field(default=0.4, gt=0)
    """alpha, for the mean loss over the support set."""
    learn_rates: bool = True
    """Meta-learn alpha, one for each weight tensor, starting at `inner_rate`."""


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class MamlOptions(FomamlOptions):
    """Options of `maml`."""

    inner_steps: int = Field(default=1, ge=0)
    """Gradient steps on the support set in meta-training."""
    first_order: bool = False
    """Ignore how the inner gradients depend on theta."""


def maml(options: MamlOptions, network: Network, task: Task) -> Learner:
    """See the module. All weights but those of normalisation are adapted."""

    def init(seed: int) -> dict[str, tf.Tensor]:
        weights = network.init(seed)
        if not options.learn_rates:
            return weights
        names = inner_loop.adaptable(network, weights)
        # A tensor for each: an eager tape adds up the gradients of one that is used for several.
        return weights | {f"rate_{name}": tf.constant(options.inner_rate) for name in names}

    def start(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
        return inner_loop.stacked(inner_loop.adaptable(network, weights), weights, support)

    def rate(weights: Weights, step: tf.Tensor, name: str) -> tf.Tensor | float:
        del step
        return weights.get(f"rate_{name}", options.inner_rate)

    loop = inner_loop.InnerLoop(network, task, start, rate)
    return stepwise_learner(
        network,
        task,
        init=init,
        begin=descent(loop, first_order=options.first_order),
        inner_steps=options.inner_steps,
        test_steps=options.test_steps,
    )


def fomaml(options: FomamlOptions, network: Network, task: Task) -> Learner:
    """MAML whose meta-gradient is that of the query loss at the adapted weights."""
    return maml(MamlOptions(**dataclasses.asdict(options), first_order=True), network, task)
