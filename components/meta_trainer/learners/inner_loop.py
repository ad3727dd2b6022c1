"""The inner loop that the MAML family shares: gradient descent on the support set.

    theta'_0 = theta,   theta'_{k+1} = theta'_k - alpha_k * grad L_S(theta'_k)

(Finn et al. 2017, eq. 1), for all episodes at once: every fast weight is `[E, ...]`, and one
episode's loss depends on its own weights alone, so the gradient of the summed loss is each one's.
"""

from collections.abc import Callable, Iterable

import tensorflow as tf

from components.meta_trainer.network import Network
from components.meta_trainer.objective import Objective
from components.meta_trainer.types import Support, Weights, merge, stack_for_episodes

Rate = Callable[[int, str], tf.Tensor | float]
"""`(step, weight name) -> ` alpha, a scalar or a tensor of the weight's own shape."""


def start(weights: Weights, names: Iterable[str], support: Support) -> dict[str, tf.Tensor]:
    """theta'_0: the named weights, once for each episode."""
    return stack_for_episodes({n: weights[n] for n in names}, tf.shape(support.x)[0])


def support_gradients(
    network: Network, objective: Objective, weights: Weights, fast: Weights, support: Support
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """The gradient of each episode's support loss by its fast weights, and that loss `[E]`.

    `weights` holds what is not adapted. The loss is the mean over the support examples (MAML's
    published code sums over ways: its rates are smaller by that factor).
    """
    fast = dict(fast)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(fast)
        outputs, _ = network.forward(merge(weights, fast), support.x, objective.mask(support.y))
        losses = objective.loss(outputs, support.y, support.y)
    return tape.gradient(losses, fast, unconnected_gradients="zero"), losses


def descend(fast: Weights, gradients: Weights, rate: Rate, step: int) -> dict[str, tf.Tensor]:
    """One step down each gradient."""
    return {name: w - rate(step, name) * gradients[name] for name, w in fast.items()}


def with_statistics(
    network: Network, objective: Objective, weights: Weights, fast: Weights, support: Support
) -> dict[str, tf.Tensor]:
    """`fast` and the statistics of normalisation of the support set under these weights."""
    _, statistics = network.features(merge(weights, fast), support.x, objective.mask(support.y))
    return merge(fast, statistics)


def predict(network: Network, weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
    """Outputs `[E, Q, N]` for queries, each from the adapted weights and itself alone."""
    everything = tf.ones(tf.shape(x)[:2])
    return network.forward(merge(weights, adapted), x, everything, adapted)[0]
