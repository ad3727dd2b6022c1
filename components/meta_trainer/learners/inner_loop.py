"""The inner loop that the MAML family shares: gradient descent on the support set.

    theta'_0 = theta,   theta'_{k+1} = theta'_k - alpha_k * grad L_S(theta'_k)

(Finn et al. 2017, eq. 1), for all episodes at once: every fast weight is `[E, ...]`, and one
episode's loss depends on its own weights alone, so the gradient of the summed loss is each one's.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import tensorflow as tf

from components.episodes.types import Support
from components.meta_trainer.learners.repeat import Step
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights, merge, stack_for_episodes
from components.tasks.task import Task


class InnerLoop(NamedTuple):
    """What differs between the members of the family.

    Attributes:
      network, task: what is adapted, and by which loss.
      start: `(weights, support) -> ` theta'_0: the fast weights, each `[E, ...]`.
      rate: `(weights, step, name) -> ` alpha, a scalar or a tensor of the weight's shape; the
        step is an int32 scalar.
    """

    network: Network
    task: Task
    start: Callable[[Weights, Support], dict[str, tf.Tensor]]
    rate: Callable[[Weights, tf.Tensor, str], tf.Tensor | float]


def inner_step(
    loop: InnerLoop, weights: Weights, support: Support, *, first_order: bool | tf.Tensor = False
) -> Step:
    """One step down the support loss, as `repeat` takes it.

    Args:
      loop: the member of the family.
      weights: meta-learned.
      support: the labelled examples.
      first_order: treat the inner gradients as constants, as FOMAML does; a bool scalar where
        that changes in meta-training.
    """

    def step(number: tf.Tensor, fast: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        gradients, _ = support_gradients(loop.network, loop.task, weights, fast, support)
        steps = {n: constant_if(first_order, gradients[n]) for n in fast}
        return {n: w - loop.rate(weights, number, n) * steps[n] for n, w in fast.items()}

    return step


def constant_if(first_order: bool | tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """The gradient; how it came about is not differentiated if `first_order`."""
    constant = tf.stop_gradient(gradient)
    if isinstance(first_order, bool):
        return constant if first_order else gradient
    return constant + tf.cast(~first_order, gradient.dtype) * (gradient - constant)


def support_gradients(
    network: Network, task: Task, weights: Weights, fast: Weights, support: Support
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """The gradient of each episode's support loss by its fast weights, and that loss `[E]`.

    `weights` holds what is not adapted. The loss is the mean over the support examples (MAML's
    published code sums over ways: its rates are smaller by that factor).
    """
    fast = dict(fast)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(fast)
        outputs, _ = network.forward(merge(weights, fast), support.x, task.mask(support.y))
        losses = task.loss(outputs, support.y, support.y)
    return tape.gradient(losses, fast, unconnected_gradients="zero"), losses


def stacked(names: Iterable[str], weights: Weights, support: Support) -> dict[str, tf.Tensor]:
    """The named weights, once for each episode: theta'_0 of MAML."""
    return stack_for_episodes({n: weights[n] for n in names}, tf.shape(support.x)[0])


def adaptable(network: Network, weights: Weights) -> list[str]:
    """The network's weights but those of normalisation, which Finn et al. do not adapt."""
    own = network.names()
    return [n for n in weights if n in own and n not in network.backbone.frozen_names]


def with_statistics(
    network: Network, task: Task, weights: Weights, fast: Weights, support: Support
) -> dict[str, tf.Tensor]:
    """`fast` and the statistics of normalisation of the support set under these weights."""
    _, statistics = network.features(merge(weights, fast), support.x, task.mask(support.y))
    return merge(fast, statistics)


def predict(network: Network, weights: Weights, adapted: Weights, x: tf.Tensor) -> tf.Tensor:
    """Outputs `[E, Q, N]` for queries, each from the adapted weights and itself alone."""
    everything = tf.ones(tf.shape(x)[:2])
    return network.forward(merge(weights, adapted), x, everything, adapted)[0]
