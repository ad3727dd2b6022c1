"""Reptile: move the starting point towards where each episode's training leads.

    theta <- theta + epsilon (mean over episodes of phi - theta),   phi = U^k(theta)

with U an inner step of Adam without momentum (beta_1 = 0). In meta-training all examples of an
episode are trained on, support and query alike: Reptile needs no split. `theta - phi` is handed to
the meta-optimiser as its gradient (section 2 of the paper; Adam in place of plain steps).

References: Nichol, Achiam, Schulman 2018, "On First-Order Meta-Learning Algorithms",
arXiv 1803.02999, algorithm 2.
"""

import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner, MetaGradients, MetaOptimizer
from components.meta_trainer.learners.family import Adaptation, adapted, stepwise_learner
from components.meta_trainer.network import Network
from components.meta_trainer.objective import Objective
from components.meta_trainer.types import Episodes, Support, Weights

BETA_2, EPSILON = 0.999, 1e-8


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class ReptileOptions:
    """Options of `reptile`. The paper: 5 steps of 1e-3 in meta-training, 50 when tested."""

    inner_steps: int = Field(default=5, ge=1)
    """Steps in meta-training, each on all examples of the episode."""
    test_steps: int = Field(default=10, ge=0)
    """Steps on the support set when served."""
    inner_rate: float = Field(default=3e-3, gt=0)
    """Adam's rate of the inner steps."""


def reptile(options: ReptileOptions, network: Network, objective: Objective) -> Learner:
    """See the module. All weights of the network are adapted, those of normalisation too."""
    names = sorted(network.names())

    def begin(weights: Weights, support: Support) -> Adaptation:
        """The state is the weights, and Adam's second moments under `second_*`."""

        def step(number: tf.Tensor, state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            fast = of_network(state)
            gradients, _ = inner_loop.support_gradients(network, objective, weights, fast, support)
            after: dict[str, tf.Tensor] = {}
            for name, g in gradients.items():
                second = BETA_2 * state[f"second_{name}"] + (1 - BETA_2) * tf.square(g)
                correction = tf.sqrt(1 - BETA_2 ** tf.cast(number + 1, g.dtype))
                move = options.inner_rate * correction * g / (tf.sqrt(second) + EPSILON)
                after |= {name: fast[name] - move, f"second_{name}": second}
            return after

        def finish(state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            fast = of_network(state)
            return inner_loop.with_statistics(network, objective, weights, fast, support)

        fast = inner_loop.stacked(names, weights, support)
        moments = {f"second_{name}": tf.zeros_like(w) for name, w in fast.items()}
        return Adaptation(fast | moments, step, finish)

    def of_network(state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {name: state[name] for name in names}

    def meta_gradients(weights: Weights, episodes: Episodes, progress: tf.Tensor) -> MetaGradients:
        del progress
        everything = Support(
            tf.concat([episodes.support_x, episodes.query_x], axis=1),
            tf.concat([episodes.support_y, episodes.query_y], axis=1),
        )
        last = adapted(begin(weights, everything), options.inner_steps)
        gradients = {name: tf.zeros_like(w) for name, w in weights.items()}
        gradients |= {
            name: weights[name] - tf.reduce_mean(phi, axis=0)
            for name, phi in of_network(last).items()
        }
        outputs = inner_loop.predict(network, weights, last, episodes.query_x)
        losses = objective.loss(outputs, episodes.query_y, episodes.support_y)
        score = objective.score(outputs, episodes.query_y, episodes.support_y)
        return MetaGradients(gradients, tf.reduce_mean(losses), tf.reduce_mean(score))

    return stepwise_learner(
        network,
        objective,
        init=network.init,
        begin=begin,
        inner_steps=options.inner_steps,
        test_steps=options.test_steps,
        meta_gradients=meta_gradients,
        meta_optimizer=MetaOptimizer(rate=1e-3, schedule="linear"),
    )
