"""ANIL: MAML whose inner loop adapts the head only; the body is shared by all episodes.

References: Raghu et al. 2020, "Rapid Learning or Feature Reuse?", arXiv 1909.09157, section 4.
"""

import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.meta_trainer.learners.base import Learner, Serves, gradients_of
from components.meta_trainer.network import HEAD, Network, head
from components.meta_trainer.objective import Objective
from components.meta_trainer.repeat import Step, answers_along, repeat
from components.meta_trainer.types import (
    Episodes,
    Support,
    Weights,
    merge,
    stack_for_episodes,
)


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


def anil(options: AnilOptions, network: Network, objective: Objective) -> Learner:
    """See the module. Features of the support set are computed once."""
    test_steps = options.inner_steps if options.test_steps is None else options.test_steps

    def init(seed: int) -> dict[str, tf.Tensor]:
        weights = network.init(seed)
        if options.learn_rates:
            weights |= {f"rate_{name}": tf.constant(options.inner_rate) for name in HEAD}
        return weights

    def descent(weights: Weights, features: tf.Tensor, y: tf.Tensor) -> Step:
        def step(number: tf.Tensor, fast: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            del number
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(fast)
                losses = objective.loss(head(fast, features), y, y)
            gradients = tape.gradient(losses, fast)
            rates = {n: weights.get(f"rate_{n}", options.inner_rate) for n in HEAD}
            return {n: w - rates[n] * gradients[n] for n, w in fast.items()}

        return step

    def begin(weights: Weights, support: Support):
        """Head, features and statistics of the support set before any step."""
        features, statistics = network.features(weights, support.x, objective.mask(support.y))
        fast = stack_for_episodes({n: weights[n] for n in HEAD}, tf.shape(support.x)[0])
        return fast, features, statistics

    def adapt(weights: Weights, support: Support, steps: int = test_steps) -> dict[str, tf.Tensor]:
        fast, features, statistics = begin(weights, support)
        return merge(repeat(descent(weights, features, support.y), fast, steps), statistics)

    def path(weights: Weights, support: Support, query_x: tf.Tensor) -> tf.Tensor:
        fast, features, statistics = begin(weights, support)
        return answers_along(
            descent(weights, features, support.y),
            fast,
            test_steps,
            lambda fast: predict(weights, merge(fast, statistics), query_x),
        )

    def predict(weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
        everything = tf.ones(tf.shape(x)[:2])
        return network.forward(merge(weights, adapted), x, everything, adapted)[0]

    def meta_loss(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        del progress
        adapted = adapt(weights, episodes.support, options.inner_steps)
        outputs = predict(weights, adapted, episodes.query_x)
        return objective.loss(outputs, episodes.query_y, episodes.support_y), outputs

    return Learner(
        init=init,
        adapt=adapt,
        predict=predict,
        meta_gradients=gradients_of(meta_loss, objective),
        path=path,
        network=network,
        serves=Serves(
            ways=f"up to {network.outputs}, as trained",
            shots="any number, also uneven",
            steps=f"{test_steps}, fixed at export (trained with {options.inner_steps})",
        ),
    )
