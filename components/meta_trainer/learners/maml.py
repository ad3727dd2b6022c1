"""MAML: a starting point from which a few gradient steps suffice.

    min_theta  sum_tasks L_Q(theta'_K),   theta'_{k+1} = theta'_k - alpha grad L_S(theta'_k)

References:
  Finn, Abbeel, Levine 2017, "Model-Agnostic Meta-Learning", arXiv 1703.03400, algorithm 2;
  learned rates: Antoniou et al. 2019, "How to train your MAML", arXiv 1810.09502, section 4.
"""

import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner, Serves, gradients_of
from components.meta_trainer.network import Network
from components.meta_trainer.objective import Objective
from components.meta_trainer.types import Episodes, Support, Weights


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class MamlOptions:
    """Options of `maml`."""

    inner_steps: int = Field(1, ge=0)
    """Gradient steps on the support set in meta-training."""
    test_steps: int | None = Field(None, ge=0)
    """Steps when served and evaluated; as many as in meta-training if null."""
    inner_rate: float = Field(0.4, gt=0)
    """alpha, for the mean loss over the support set."""
    learn_rates: bool = True
    """Meta-learn alpha, one for each weight tensor, starting at `inner_rate`."""
    first_order: bool = False
    """Ignore how the inner gradients depend on theta (FOMAML)."""


def maml(options: MamlOptions, network: Network, objective: Objective) -> Learner:
    """See the module. All weights but those of normalisation are adapted."""

    def adapted_names(weights: Weights) -> list[str]:
        frozen = network.backbone.frozen_names
        return [n for n in weights if n not in frozen and not n.startswith("rate_")]

    def init(seed: int) -> dict[str, tf.Tensor]:
        weights = network.init(seed)
        if options.learn_rates:
            rate = tf.constant(options.inner_rate)
            weights |= {f"rate_{name}": rate for name in adapted_names(weights)}
        return weights

    def path(weights: Weights, support: Support, steps: int) -> list[dict[str, tf.Tensor]]:
        def rate(step: int, name: str) -> tf.Tensor | float:
            return weights.get(f"rate_{name}", options.inner_rate)

        fasts = [inner_loop.start(weights, adapted_names(weights), support)]
        for step in range(steps):
            gradients, _ = inner_loop.support_gradients(
                network, objective, weights, fasts[-1], support
            )
            if options.first_order:
                gradients = {name: tf.stop_gradient(g) for name, g in gradients.items()}
            fasts.append(inner_loop.descend(fasts[-1], gradients, rate, step))
        return fasts

    def adapt(weights: Weights, support: Support, steps: int) -> dict[str, tf.Tensor]:
        fast = path(weights, support, steps)[-1]
        return inner_loop.with_statistics(network, objective, weights, fast, support)

    def predict(weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
        return inner_loop.predict(network, weights, adapted, x)

    def meta_loss(weights: Weights, episodes: Episodes, progress: tf.Tensor):
        del progress
        adapted = adapt(weights, episodes.support, options.inner_steps)
        outputs = predict(weights, adapted, episodes.query_x)
        return objective.loss(outputs, episodes.query_y, episodes.support_y), outputs

    test_steps = options.inner_steps if options.test_steps is None else options.test_steps

    def test_path(weights: Weights, support: Support) -> list[dict[str, tf.Tensor]]:
        return [
            inner_loop.with_statistics(network, objective, weights, fast, support)
            for fast in path(weights, support, test_steps)
        ]

    return Learner(
        init=init,
        adapt=lambda weights, support: adapt(weights, support, test_steps),
        predict=predict,
        meta_gradients=gradients_of(meta_loss, objective),
        path=test_path,
        network=network,
        serves=Serves(
            ways=f"2 to {network.outputs}, the ways it was trained with",
            shots="any number, uneven too",
            steps=f"{test_steps}, fixed at export",
        ),
    )
