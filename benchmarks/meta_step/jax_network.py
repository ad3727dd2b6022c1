"""The network in JAX, and what its implementations share: meta-loss, update, the loop.

A convolution is patches and a matrix product: on CPUs XLA's own, batched over tasks, is slower.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.meta_step import problem
from benchmarks.meta_step.worker import serve


def convolution(x, kernel, stride):
    """Convolves with SAME padding."""
    _, height, width, channels = x.shape
    rows, columns = -(-height // stride), -(-width // stride)
    tall, wide = (
        max((n - 1) * stride + 3 - size, 0) for n, size in ((rows, height), (columns, width))
    )
    sides = ((tall // 2, tall - tall // 2), (wide // 2, wide - wide // 2))
    x = jnp.pad(x, ((0, 0), *sides, (0, 0)))
    down, right = stride * (rows - 1) + 1, stride * (columns - 1) + 1
    taps = [x[:, i : i + down : stride, j : j + right : stride] for i in range(3) for j in range(3)]
    return jnp.concatenate(taps, axis=-1) @ kernel.reshape(9 * channels, -1)


def max_pool(x):
    """Takes the maximum of squares of 2 x 2, odd edges dropped."""
    count, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(count, height // 2, 2, width // 2, 2, channels).max((2, 4))


def loss_of(case, w, x, y):
    """Computes the mean cross-entropy."""
    for block in range(1, problem.BLOCKS + 1):
        x = convolution(x, w[f"conv{block}_kernel"], case.stride)
        # Two sums: a single one loses digits of float32, as in `tf_map_fn.batch_mean`.
        mean = x.mean((1, 2)).mean(0)
        variance = jnp.square(x - mean).mean((1, 2)).mean(0)
        x = (x - mean) * jax.lax.rsqrt(variance + problem.EPSILON) + w[f"conv{block}_offset"]
        x = jax.nn.relu(x)
        x = max_pool(x) if case.max_pool else x
    x = x.reshape(x.shape[0], -1) if case.max_pool else x.mean((1, 2))
    logits = x @ w["head_kernel"] + w["head_bias"]
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1).mean()


def meta_loss(case, w, support_x, support_y, query_x, query_y):
    """Computes the query loss of one task after the inner steps."""
    for _ in range(case.inner_steps):
        gradients = jax.grad(lambda w: loss_of(case, w, support_x, support_y))(w)
        rate = case.inner_learning_rate
        w = {n: v - rate * gradients[n] if problem.adapted(n) else v for n, v in w.items()}
    return loss_of(case, w, query_x, query_y)


def run(
    case: problem.Case,
    loss_and_gradients: Callable,
    place: Callable = lambda episodes: episodes,
) -> None:
    """Answers the driver.

    Args:
      case: the case.
      loss_and_gradients: takes weights and episodes; returns the mean loss over the tasks, and its
        gradient.
      place: puts the episodes where that function wants them.
    """

    @jax.jit
    def update(w, first, second, number, outer, g):
        b1, b2 = problem.BETA_1, problem.BETA_2
        first = {n: b1 * first[n] + (1 - b1) * g[n] for n in g}
        second = {n: b2 * second[n] + (1 - b2) * g[n] ** 2 for n in g}
        rate = outer.rate * jnp.sqrt(1 - b2**number) / (1 - b1**number)
        change = {n: first[n] / (jnp.sqrt(second[n]) + outer.epsilon) for n in g}
        return {n: w[n] - rate * change[n] for n in w}, first, second

    w = {name: jnp.asarray(value) for name, value in problem.weights(case).items()}
    zeros = {name: jnp.zeros_like(value) for name, value in w.items()}
    state = [w, zeros, zeros, 0.0]
    episodes = place(tuple(jnp.asarray(part) for part in problem.episodes(case)))

    def take(outer: problem.Outer) -> float:
        state[3] += 1.0
        loss, gradients = loss_and_gradients(state[0], episodes)
        state[:3] = update(*state, outer, gradients)
        jax.block_until_ready(state[:3])
        return float(loss)

    serve(take, lambda: {n: np.asarray(w) for n, w in state[0].items()}, {"jax": jax.__version__})
