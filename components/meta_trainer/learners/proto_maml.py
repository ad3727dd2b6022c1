"""Proto-MAML: MAML whose head starts as the prototypes' linear classifier.

    W_k = 2 c_k,  b_k = -|c_k|^2     (softmax of W x + b equals that of -|x - c_k|^2)

The head is not meta-learned, so it serves any number of ways.

References: Triantafillou et al. 2020, "Meta-Dataset", arXiv 1903.03096, section 3 (fo-Proto-MAML
is this with `first_order`).
"""

from typing import Any

import tensorflow as tf
from pydantic import Field

from components.episodes.types import Support
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.learners.maml import equal_rates
from components.meta_trainer.learners.prototypes import class_means
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.options import options_class
from components.tasks.task import Task


@options_class
class ProtoMamlOptions(inner_loop.InnerLoopOptions):
    """Options of `proto_maml`."""

    inner_steps: int = Field(default=2, ge=0)
    """Gradient steps on the support set in meta-training."""
    inner_learning_rate: float = Field(default=0.05, gt=0)
    """alpha, for the mean loss over the support set; where it is learned, its first value."""
    learn_rates: bool = True
    """Meta-learn alpha, one for each weight tensor."""
    first_order: bool = False
    """Ignore how the inner gradients depend on theta."""


def proto_maml(options: ProtoMamlOptions, network: Network, task: Task) -> Learner:
    """Proto-MAML; all weights but those of normalisation are adapted."""

    def init(seed: int) -> dict[str, Any]:
        weights = network.init(seed)
        if options.learn_rates:
            adapted = inner_loop.adaptable(network, weights)
            weights["rates"] = equal_rates(adapted, options.inner_learning_rate)
        del weights["head"]
        return weights

    def head(weights: Weights, support: Support, ways: int | tf.Tensor) -> dict[str, Any]:
        features, _ = network.features(weights, support.x, task.mask(support.y))
        return prototype_head(class_means(features, support.y, ways))

    def learning_rates(weights: Weights, step: tf.Tensor) -> Weights | float:
        return weights.get("rates", options.inner_learning_rate)

    start = inner_loop.start_adaptable(network)
    loop = inner_loop.InnerLoop(network, task, start, learning_rates)
    return inner_loop.stepwise_learner(
        network,
        task,
        init=init,
        plan=inner_loop.gradient_descent(loop, first_order=options.first_order),
        options=options,
        head=head,
        fixed_ways=False,
        needs_classes=True,
    )


def prototype_head(prototypes: tf.Tensor) -> dict[str, tf.Tensor]:
    """The head of the prototypes `[E, N, D]`: `kernel` `[E, D, N]` and `bias` `[E, N]`."""
    return {
        "kernel": 2 * tf.linalg.matrix_transpose(prototypes),
        "bias": -tf.reduce_sum(tf.square(prototypes), axis=-1),
    }
