"""Reptile: move the starting point towards where each episode's training leads.

    theta <- theta + epsilon (mean over episodes of phi - theta),   phi = U^k(theta)

with U a step of SGD, and epsilon falling from 1 to 0. In meta-training all examples of an episode
are trained on, support and query alike: Reptile needs no split. Each step takes other examples, as
many as a support set has: beyond joint training, the update favours weights at which steps on
different minibatches agree (section 5.1). `theta - phi` is returned as the meta-gradient.

References: Nichol, Achiam, Schulman 2018, "On First-Order Meta-Learning Algorithms",
arXiv 1803.02999, algorithm 2. Their experiments take Adam with beta_1 = 0 for U, and fifty steps
when tested; algorithm 1 allows both.
"""

from typing import Any

import tensorflow as tf
from pydantic import Field

from components.episodes.types import Episodes, Support
from components.meta_trainer.kernels.shapes import shape_of
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner, MetaGradients, MetaOptimizer
from components.meta_trainer.learners.heads import head_start
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights, stack_for_episodes
from components.options import options_class
from components.tasks.task import Task


@options_class
class ReptileOptions(inner_loop.HeadOptions, inner_loop.InnerLoopOptions):
    """Options of `reptile`."""

    inner_steps: int = Field(default=4, ge=1)
    """Steps in meta-training, each on as many examples as a support set has."""
    test_steps: int = Field(default=10, ge=0)  # type: ignore[assignment]
    """Steps on the support set when served."""


def reptile(options: ReptileOptions, network: Network, task: Task) -> Learner:
    """Reptile; all weights of the network are adapted, those of normalisation too."""

    def start(weights: Weights, support: Support) -> dict[str, Any]:
        body = stack_for_episodes({"body": weights["body"]}, shape_of(support.x)[0])
        return body | {"head": dict(weights["head"])}

    rate = options.inner_learning_rate
    loop = inner_loop.InnerLoop(network, task, start, lambda weights, step: rate)

    def training_plan(weights: Weights, episodes: Episodes) -> inner_loop.Adaptation:
        x = tf.concat([episodes.support_x, episodes.query_x], axis=1)
        y = tf.concat([episodes.support_y, episodes.query_y], axis=1)
        examples = interleave_classes(Support(x, y))
        size = episodes.support_y.shape[1]

        def step(number: tf.Tensor, fast: dict[str, Any]) -> dict[str, Any]:
            minibatch = cyclic_slice(examples, number * size, size)
            return inner_loop.inner_step(loop, weights, minibatch)(number, fast)

        return inner_loop.gradient_descent(loop)(weights, examples)._replace(step=step)

    def meta_gradients(weights: Weights, episodes: Episodes, progress: tf.Tensor) -> MetaGradients:
        del progress
        head = head_start(network, task)(weights, episodes.support, network.outputs)
        adapted = training_plan({**weights, "head": head}, episodes).run(options.inner_steps)
        gradients = tf.nest.map_structure(tf.zeros_like, dict(weights))  # of a scale it stays
        for part in ("body", "head") if network.fixed_ways else ("body",):
            gradients[part] = tf.nest.map_structure(
                lambda theta, phi: theta - tf.reduce_mean(phi, axis=0),
                dict(weights[part]),
                adapted[part],
            )
        outputs = inner_loop.network_outputs(network, weights, adapted, episodes.query_x)
        losses = task.loss(outputs, episodes.query_y, episodes.support_y)
        score = task.score(outputs, episodes.query_y, episodes.support_y)
        return MetaGradients(gradients, tf.reduce_mean(losses), tf.reduce_mean(score))

    return inner_loop.stepwise_learner(
        network,
        task,
        init=network.init,
        plan=inner_loop.gradient_descent(loop),
        options=options,
        meta_gradients=meta_gradients,
        adapts_all=True,
        meta_optimizer=MetaOptimizer(learning_rate=1.0, schedule="linear", optimizer="sgd"),
    )


def interleave_classes(examples: Support) -> Support:
    """The same examples, ordered: the first of every class, then the second of every class, ...

    Float targets have no classes: those examples stay as they are.
    """
    y = examples.y
    if not y.dtype.is_integer:
        return examples
    same_class = tf.cast(y[:, :, None] == y[:, None, :], tf.int32)
    rank_in_class = tf.reduce_sum(tf.linalg.band_part(same_class, -1, 0), axis=2)
    order = tf.argsort(rank_in_class, axis=1, stable=True)
    return Support(*(tf.gather(part, order, batch_dims=1) for part in examples))


def cyclic_slice(examples: Support, first: tf.Tensor, count: int) -> Support:
    """`count` examples from the index `first` on, modulo their number."""
    indices = (first + tf.range(count)) % tf.shape(examples.y)[1]
    return Support(*(tf.gather(part, indices, axis=1) for part in examples))
