"""JAX: `vmap` over episodes and `jit`, the convolution as patches and a matrix product."""

import sys

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.meta_step import problem
from benchmarks.meta_step.worker import serve


def convolution(x, kernel):
    """Convolves with stride 2 and SAME padding."""
    _, height, width, channels = x.shape
    rows, columns = -(-height // 2), -(-width // 2)
    tall, wide = (max((n - 1) * 2 + 3 - size, 0) for n, size in ((rows, height), (columns, width)))
    sides = ((tall // 2, tall - tall // 2), (wide // 2, wide - wide // 2))
    x = jnp.pad(x, ((0, 0), *sides, (0, 0)))
    taps = [
        x[:, i : i + 2 * rows - 1 : 2, j : j + 2 * columns - 1 : 2]
        for i in range(3)
        for j in range(3)
    ]
    return jnp.concatenate(taps, axis=-1) @ kernel.reshape(9 * channels, -1)


def loss_of(w, x, y):
    """Computes the mean cross-entropy."""
    for block in range(1, problem.BLOCKS + 1):
        x = convolution(x, w[f"conv{block}_kernel"])
        mean = x.mean((0, 1, 2))
        variance = jnp.square(x - mean).mean((0, 1, 2))
        x = (x - mean) * jax.lax.rsqrt(variance + problem.EPSILON) + w[f"conv{block}_offset"]
        x = jax.nn.relu(x)
    logits = x.mean((1, 2)) @ w["head_kernel"] + w["head_bias"]
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1).mean()


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""

    def meta_loss(w, support_x, support_y, query_x, query_y):
        for _ in range(case.inner_steps):
            gradients = jax.grad(loss_of)(w, support_x, support_y)
            rate = problem.INNER_LEARNING_RATE
            w = {n: v - rate * gradients[n] if problem.adapted(n) else v for n, v in w.items()}
        return loss_of(w, query_x, query_y)

    def mean_loss(w, episodes):
        return jax.vmap(lambda *e: meta_loss(w, *e))(*episodes).mean()

    @jax.jit
    def step(w, first, second, number, outer, episodes):
        loss, g = jax.value_and_grad(mean_loss)(w, episodes)
        b1, b2 = problem.BETA_1, problem.BETA_2
        first = {n: b1 * first[n] + (1 - b1) * g[n] for n in g}
        second = {n: b2 * second[n] + (1 - b2) * g[n] ** 2 for n in g}
        rate = outer.rate * jnp.sqrt(1 - b2**number) / (1 - b1**number)
        change = {n: first[n] / (jnp.sqrt(second[n]) + outer.epsilon) for n in g}
        return loss, {n: w[n] - rate * change[n] for n in w}, first, second

    w = {name: jnp.asarray(value) for name, value in problem.weights().items()}
    zeros = {name: jnp.zeros_like(value) for name, value in w.items()}
    state = [w, zeros, zeros, 0.0]
    episodes = tuple(jnp.asarray(part) for part in problem.episodes(case))

    def take(outer: problem.Outer) -> float:
        state[3] += 1.0
        loss, *state[:3] = step(*state, outer, episodes)
        jax.block_until_ready(state[:3])
        return float(loss)

    serve(take, lambda: {n: np.asarray(w) for n, w in state[0].items()}, {"jax": jax.__version__})


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
