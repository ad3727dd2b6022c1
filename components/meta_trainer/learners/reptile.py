"""Reptile: move the starting point towards where each episode's training leads.

    theta <- theta + epsilon (mean over episodes of phi - theta),   phi = U^k(theta)

with U a step of SGD, and epsilon falling from 1 to 0. In meta-training all examples of an episode
are trained on, support and query alike: Reptile needs no split. Each step takes other examples, as
many as a support set has: that steps on different minibatches agree is what the update asks for
beyond joint training (section 5.1). `theta - phi` is handed over as the meta-gradient.

References: Nichol, Achiam, Schulman 2018, "On First-Order Meta-Learning Algorithms",
arXiv 1803.02999, algorithm 2. Their experiments take Adam with beta_1 = 0 for U, and fifty steps
when tested; algorithm 1 allows both.
"""

import tensorflow as tf
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.episodes.types import Episodes, Support
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner, MetaGradients, MetaOptimizer
from components.meta_trainer.learners.family import Adaptation, adapted, descent, stepwise_learner
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights
from components.tasks.task import Task


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class ReptileOptions:
    """Options of `reptile`."""

    inner_steps: int = Field(default=4, ge=1)
    """Steps in meta-training, each on as many examples as a support set has."""
    test_steps: int = Field(default=10, ge=0)
    """Steps on the support set when served."""
    inner_rate: float = Field(default=0.4, gt=0)
    """Of the inner steps, for the mean loss over a minibatch."""


def reptile(options: ReptileOptions, network: Network, task: Task) -> Learner:
    """See the module. All weights of the network are adapted, those of normalisation too."""
    names = sorted(network.names())

    def start(weights: Weights, support: Support) -> dict[str, tf.Tensor]:
        return inner_loop.stacked(names, weights, support)

    def rate(weights: Weights, step: tf.Tensor, name: str) -> float:
        del weights, step, name
        return options.inner_rate

    loop = inner_loop.InnerLoop(network, task, start, rate)

    def training(weights: Weights, episodes: Episodes) -> Adaptation:
        examples = classes_in_turn(
            Support(
                tf.concat([episodes.support_x, episodes.query_x], axis=1),
                tf.concat([episodes.support_y, episodes.query_y], axis=1),
            )
        )
        size = episodes.support_y.shape[1]

        def step(number: tf.Tensor, fast: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            minibatch = in_a_ring(examples, number * size, size)
            return inner_loop.inner_step(loop, weights, minibatch)(number, fast)

        return descent(loop)(weights, examples)._replace(step=step)

    def meta_gradients(weights: Weights, episodes: Episodes, progress: tf.Tensor) -> MetaGradients:
        del progress
        last = adapted(training(weights, episodes), options.inner_steps)
        gradients = {name: tf.zeros_like(w) for name, w in weights.items()}
        gradients |= {n: weights[n] - tf.reduce_mean(last[n], axis=0) for n in names}
        outputs = inner_loop.predict(network, weights, last, episodes.query_x)
        losses = task.loss(outputs, episodes.query_y, episodes.support_y)
        score = task.score(outputs, episodes.query_y, episodes.support_y)
        return MetaGradients(gradients, tf.reduce_mean(losses), tf.reduce_mean(score))

    return stepwise_learner(
        network,
        task,
        init=network.init,
        begin=descent(loop),
        inner_steps=options.inner_steps,
        test_steps=options.test_steps,
        meta_gradients=meta_gradients,
        meta_optimizer=MetaOptimizer(rate=1.0, schedule="linear", update="descent"),
    )


def classes_in_turn(examples: Support) -> Support:
    """The same examples: the first of every class, then the second of every class, and so on.

    Float targets have no classes: those examples stay as they are.
    """
    y = examples.y
    if not y.dtype.is_integer:
        return examples
    same_class = tf.cast(y[:, :, None] == y[:, None, :], tf.int32)
    place_in_class = tf.reduce_sum(tf.linalg.band_part(same_class, -1, 0), axis=2)
    order = tf.argsort(place_in_class, axis=1, stable=True)
    return Support(*(tf.gather(part, order, batch_dims=1) for part in examples))


def in_a_ring(examples: Support, first: tf.Tensor, count: int) -> Support:
    """`count` examples from the place `first` on; after the last comes the first again."""
    places = (first + tf.range(count)) % tf.shape(examples.y)[1]
    return Support(*(tf.gather(part, places, axis=1) for part in examples))
