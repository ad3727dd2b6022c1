"""Proto-MAML: MAML whose head starts as the prototypes' linear classifier.

    W_k = 2 c_k,  b_k = -|c_k|^2     (softmax of W x + b equals that of -|x - c_k|^2)

The head is not meta-learned, so it serves any number of ways.

References: Triantafillou et al. 2020, "Meta-Dataset", arXiv 1903.03096, section 3 (fo-Proto-MAML
is this with `first_order`).
"""

import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.episodes.types import Support
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.learners.family import descent, stepwise_learner
from components.meta_trainer.learners.prototypes import class_means, ways_of
from components.meta_trainer.network import HEAD, Network
from components.meta_trainer.types import Weights, merge
from components.tasks.task import Task


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class ProtoMamlOptions:
    """Options of `proto_maml`."""

    inner_steps: int = Field(default=2, ge=0)
    """Steps on the support set in meta-training."""
    test_steps: int | None = Field(default=None, ge=0)
    """Steps when served; as many as in meta-training if null."""
    inner_rate: float = Field(default=0.05, gt=0)
    """alpha at the start, for the mean loss over the support set."""
    learn_rates: bool = True
    """Meta-learn alpha, one for each weight tensor."""
    first_order: bool = False
    """Ignore how the inner gradients depend on theta."""


def proto_maml(options: ProtoMamlOptions, network: Network, task: Task) -> Learner:
    """See the module. All weights but those of normalisation are adapted."""

    def init(seed: int) -> dict[str, tf.Tensor]:
        weights = network.init(seed)
        if options.learn_rates:
            names = inner_loop.adaptable(network, weights)
            weights |= {f"rate_{name}": tf.constant(options.inner_rate) for name in names}
        return {name: w for name, w in weights.items() if name not in HEAD}

    def start_with(ways: int | None):
        def start(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
            body = inner_loop.adaptable(network, weights)
            fast = inner_loop.stacked(body, weights, support)
            features, _ = network.features(merge(weights, fast), support.x, task.mask(support.y))
            return fast | head_of_prototypes(
                class_means(features, support.y, ways_of(support.y) if ways is None else ways)
            )

        return start

    def rate(weights: Weights, step: tf.Tensor, name: str) -> tf.Tensor | float:
        del step
        return weights.get(f"rate_{name}", options.inner_rate)

    def loop(ways: int | None) -> inner_loop.InnerLoop:
        return inner_loop.InnerLoop(network, task, start_with(ways), rate)

    return stepwise_learner(
        network,
        task,
        init=init,
        begin=descent(loop(None)),
        # The ways of meta-training are known, and XLA asks for shapes that are.
        begin_training=descent(loop(network.outputs), first_order=options.first_order),
        inner_steps=options.inner_steps,
        test_steps=options.test_steps,
        fixed_ways=False,
        needs_classes=True,
    )


def head_of_prototypes(prototypes: tf.Tensor) -> dict[str, tf.Tensor]:
    """`[E, N, D]` to `head_kernel` `[E, D, N]` and `head_bias` `[E, N]`."""
    return {
        "head_kernel": 2 * tf.linalg.matrix_transpose(prototypes),
        "head_bias": -tf.reduce_sum(tf.square(prototypes), axis=-1),
    }
