"""Meta-SGD: MAML with a learned rate, and so a learned direction, for every weight.

    theta' = theta - alpha o grad L_S(theta),   alpha of theta's shape, meta-learned with theta

References: Li et al. 2017, "Meta-SGD", arXiv 1707.09835, eq. 2 and algorithm 1.
"""

import numpy as np
import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.episodes.types import Support
from components.meta_trainer.backbones.base import generator
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.learners.family import descent, stepwise_learner
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.tasks.task import Task


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class MetaSgdOptions:
    """Options of `meta_sgd`. The paper takes one step, and draws alpha from [0.005, 0.1]."""

    inner_steps: int = Field(default=1, ge=0)
    """Steps on the support set in meta-training."""
    test_steps: int | None = Field(default=None, ge=0)
    """Steps when served; as many as in meta-training if null."""
    rate_low: float = Field(default=0.2, gt=0)
    """Lower end of alpha at the start, for the mean loss over the support set."""
    rate_high: float = Field(default=0.6, gt=0)
    """Upper end."""


def meta_sgd(options: MetaSgdOptions, network: Network, task: Task) -> Learner:
    """See the module. All weights but those of normalisation are adapted."""

    def init(seed: int) -> dict[str, tf.Tensor]:
        weights = network.init(seed)
        for name in inner_loop.adaptable(network, weights):
            draw = generator(seed, f"rate_{name}").uniform(
                options.rate_low, options.rate_high, weights[name].shape
            )
            weights[f"rate_{name}"] = tf.constant(draw.astype(np.float32))
        return weights

    def start(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
        return inner_loop.stacked(inner_loop.adaptable(network, weights), weights, support)

    def rate(weights: Weights, step: tf.Tensor, name: str) -> tf.Tensor:
        del step
        return weights[f"rate_{name}"]

    return stepwise_learner(
        network,
        task,
        init=init,
        begin=descent(inner_loop.InnerLoop(network, task, start, rate)),
        inner_steps=options.inner_steps,
        test_steps=options.test_steps,
    )
