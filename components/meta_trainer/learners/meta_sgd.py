"""Meta-SGD: MAML with a learned rate, and so a learned direction, for every weight.

    theta' = theta - alpha o grad L_S(theta),   alpha of theta's shape, meta-learned with theta

References: Li et al. 2017, "Meta-SGD", arXiv 1707.09835, eq. 2 and algorithm 1.
"""

from typing import Any

import numpy as np
import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import generator
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.network import Network
from components.options import options_class
from components.tasks.task import Task


@options_class
class MetaSgdOptions(inner_loop.HeadOptions, inner_loop.StepOptions):
    """Options of `meta_sgd`. The paper takes one step, and draws alpha from [0.005, 0.1]."""

    learning_rate_low: float = Field(default=0.2, gt=0)
    """Lower end of alpha at the start, for the mean loss over the support set."""
    learning_rate_high: float = Field(default=0.6, gt=0)
    """Upper end."""


def meta_sgd(options: MetaSgdOptions, network: Network, task: Task) -> Learner:
    """Meta-SGD; all weights but those of normalisation are adapted."""

    def init(seed: int) -> dict[str, Any]:
        def draw(name: str, w: tf.Tensor) -> tf.Tensor:
            low, high = options.learning_rate_low, options.learning_rate_high
            rates = generator(seed, f"rate_{name}").uniform(low, high, w.shape)
            return tf.constant(rates.astype(np.float32))

        weights = network.init(seed)
        adapted = inner_loop.adaptable(network, weights)
        body = {name: draw(name, w) for name, w in adapted["body"].items()}
        head = {name: draw(f"head_{name}", w) for name, w in adapted["head"].items()}
        return weights | {"rates": {"body": body, "head": head}}

    start = inner_loop.start_adaptable(network)
    loop = inner_loop.InnerLoop(network, task, start, lambda weights, step: weights["rates"])
    plan = inner_loop.gradient_descent(loop)
    return inner_loop.stepwise_learner(network, task, init=init, plan=plan, options=options)
