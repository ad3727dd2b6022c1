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
from components.meta_trainer.learners.base import Learner, MetaGradients, MetaOptimizer, Serves
from components.meta_trainer.network import Network
from components.meta_trainer.objective import Objective
from components.meta_trainer.repeat import Step, answers_along, repeat
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

    def begin(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
        """The weights, and Adam's second moments under `second_*`."""
        fast = inner_loop.stacked(names, weights, support)
        return fast | {f"second_{name}": tf.zeros_like(w) for name, w in fast.items()}

    def descent(weights: Weights, support: Support) -> Step:
        def step(number: tf.Tensor, state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            fast = {name: state[name] for name in names}
            gradients, _ = inner_loop.support_gradients(network, objective, weights, fast, support)
            after: dict[str, tf.Tensor] = {}
            for name, g in gradients.items():
                second = BETA_2 * state[f"second_{name}"] + (1 - BETA_2) * tf.square(g)
                correction = tf.sqrt(1 - BETA_2 ** tf.cast(number + 1, g.dtype))
                move = options.inner_rate * correction * g / (tf.sqrt(second) + EPSILON)
                after |= {name: fast[name] - move, f"second_{name}": second}
            return after

        return step

    def trained(weights: Weights, support: Support, steps: int) -> dict[str, tf.Tensor]:
        """phi = U^steps(theta)."""
        state = repeat(descent(weights, support), begin(weights, support), steps)
        return {name: state[name] for name in names}

    def finished(weights: Weights, fast: Weights, support: Support) -> dict[str, tf.Tensor]:
        return inner_loop.with_statistics(network, objective, weights, fast, support)

    def predict(weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
        return inner_loop.predict(network, weights, adapted, x)

    def meta_gradients(weights: Weights, episodes: Episodes, progress: tf.Tensor) -> MetaGradients:
        del progress
        everything = Support(
            tf.concat([episodes.support_x, episodes.query_x], axis=1),
            tf.concat([episodes.support_y, episodes.query_y], axis=1),
        )
        last = trained(weights, everything, options.inner_steps)
        gradients = {name: tf.zeros_like(w) for name, w in weights.items()}
        gradients |= {
            name: weights[name] - tf.reduce_mean(phi, axis=0) for name, phi in last.items()
        }
        outputs = predict(weights, finished(weights, last, everything), episodes.query_x)
        losses = objective.loss(outputs, episodes.query_y, episodes.support_y)
        score = objective.score(outputs, episodes.query_y, episodes.support_y)
        return MetaGradients(gradients, tf.reduce_mean(losses), tf.reduce_mean(score))

    def adapt(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
        return finished(weights, trained(weights, support, options.test_steps), support)

    def path(weights: Weights, support: Support, query_x: tf.Tensor) -> tf.Tensor:
        def answer(state: dict[str, tf.Tensor]) -> tf.Tensor:
            fast = {name: state[name] for name in names}
            return predict(weights, finished(weights, fast, support), query_x)

        start, step = begin(weights, support), descent(weights, support)
        return answers_along(step, start, options.test_steps, answer)

    return Learner(
        init=network.init,
        adapt=adapt,
        predict=predict,
        meta_gradients=meta_gradients,
        path=path,
        network=network,
        serves=Serves(
            ways=f"up to {network.outputs}, as trained",
            shots="any number, also uneven",
            steps=f"{options.test_steps}, fixed at export (trained with {options.inner_steps})",
        ),
        meta_optimizer=MetaOptimizer(rate=1e-3, schedule="linear"),
    )
