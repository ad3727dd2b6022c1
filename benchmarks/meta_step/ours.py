"""This project's implementation: `maml` with `conv4`, chunks of episodes on all cores."""

import os
import sys
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.meta_step import problem
from benchmarks.meta_step.worker import serve
from components.episodes.types import Episodes
from components.meta_trainer.backbones.conv4 import Conv4Options, conv4
from components.meta_trainer.learners.base import Learner
from components.meta_trainer.learners.maml import MamlOptions, maml
from components.meta_trainer.network import Network
from components.meta_trainer.training import optimizer
from components.meta_trainer.training.parallel import chunk_size, mean_over_chunks
from components.meta_trainer.training.step import compiled_gradients, max_chunk
from components.single_threaded import use_single_threaded_operations
from components.tasks.classification import classification


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""
    use_single_threaded_operations()
    options = MamlOptions(
        inner_steps=case.inner_steps,
        inner_learning_rate=case.inner_learning_rate,
        learn_rates=False,
    )
    learner = maml(options, network(case), classification())
    serve_learner(case, learner, nested(problem.weights(case)))


def network(case: problem.Case) -> Network:
    """The network of a case."""
    options = Conv4Options(
        filters=case.filters,
        downsample="max_pool" if case.max_pool else "stride",
        pooling="flatten" if case.max_pool else "mean",
        normalisation="transductive",
    )
    return Network(conv4(options, (case.size, case.size, case.channels)), problem.WAYS)


def serve_learner(case: problem.Case, learner: Learner, weights: dict[str, Any]) -> None:
    """Answers the driver with the meta-steps of a learner, from these weights."""
    examples = problem.WAYS * (problem.SHOTS + case.queries)
    size = chunk_size(case.episodes, os.cpu_count() or 1, examples, largest=max_chunk(learner))
    meta_gradients = compiled_gradients(learner, jit_compile=True)

    def gradients(weights, *chunk):
        result = meta_gradients(weights, Episodes(*chunk), tf.constant(0.0))
        return result.loss, dict(result.gradients)

    @tf.function(autograph=False)
    def step(weights, adam, number, rate, epsilon, *episodes):
        loss, mean = mean_over_chunks(lambda *chunk: gradients(weights, *chunk), episodes, size)
        weights, adam = optimizer.adam(weights, mean, adam, step=number, rate=rate, epsilon=epsilon)
        return loss, weights, adam

    state: list[Any] = [weights, optimizer.init(weights), 0]
    episodes = [tf.constant(part) for part in problem.episodes(case)]

    def take(outer: problem.Outer) -> float:
        state[2] += 1
        number, rate, epsilon = (tf.constant(x, tf.float32) for x in (state[2], *outer))
        loss, state[0], state[1] = step(state[0], state[1], number, rate, epsilon, *episodes)
        return float(loss)

    serve(take, lambda: flat(state[0]), {"tensorflow": tf.__version__}, chunk=size)


def nested(weights: dict[str, np.ndarray]) -> dict[str, dict[str, tf.Tensor]]:
    """The problem's weights as a network of this project has them."""
    parts: dict[str, dict[str, tf.Tensor]] = {"body": {}, "head": {}}
    for name, value in weights.items():
        part = "head" if name.startswith("head_") else "body"
        parts[part][name.removeprefix("head_")] = tf.constant(value)
    return parts


def flat(weights: dict[str, dict[str, tf.Tensor]]) -> dict[str, np.ndarray]:
    """The inverse of `nested`; rates and the like are left out."""
    head = {f"head_{name}": w.numpy() for name, w in weights["head"].items()}
    return {name: w.numpy() for name, w in weights["body"].items()} | head


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
