"""The same network, weights and episodes for every implementation. Needs NumPy only.

conv4-64: four blocks of [3 x 3 convolution with stride 2 and SAME padding, normalisation by the
moments of the batch, offset, ReLU], the mean over positions, a dense layer to 5 ways. MAML adapts
kernels and the dense layer; the offsets are meta-learned only. Outer update: Adam as in TF 1.
"""

from typing import NamedTuple

import numpy as np

WAYS, SHOTS, SIZE, FILTERS, BLOCKS = 5, 1, 28, 64, 4
INNER_RATE, EPSILON = 0.4, 1e-3
BETA_1, BETA_2 = 0.9, 0.999


class Outer(NamedTuple):
    """Of Adam: w <- w - rate * correction * m / (sqrt(v) + epsilon)."""

    rate: float
    epsilon: float


TIMED = Outer(rate=1e-3, epsilon=1e-8)
CHECKED = Outer(rate=20.0, epsilon=1.0)
"""For the step that is compared. With so large an epsilon it is proportional to the meta-gradient;
with a small one all that would show is its sign."""


class Case(NamedTuple):
    episodes: int
    inner_steps: int
    queries: int  # a class


CASES = {
    "1_step_1_query_32_tasks": Case(episodes=32, inner_steps=1, queries=1),
    "5_steps_15_queries_4_tasks": Case(episodes=4, inner_steps=5, queries=15),
}


def adapted(name: str) -> bool:
    return not name.endswith("_offset")


def weights() -> dict[str, np.ndarray]:
    """Kernels `[3, 3, C, F]`, offsets `[F]`, `head_kernel` `[F, N]`, `head_bias` `[N]`."""
    rng = np.random.Generator(np.random.PCG64(0))
    found, channels = {}, 1
    for block in range(1, BLOCKS + 1):
        shape = (3, 3, channels, FILTERS)
        found[f"conv{block}_kernel"] = rng.standard_normal(shape) * np.sqrt(2 / (9 * channels))
        found[f"conv{block}_offset"] = np.zeros(FILTERS)
        channels = FILTERS
    found["head_kernel"] = rng.standard_normal((FILTERS, WAYS)) * 0.1
    found["head_bias"] = np.zeros(WAYS)
    return {name: value.astype(np.float32) for name, value in found.items()}


def episodes(case: Case) -> tuple[np.ndarray, ...]:
    """support_x `[E, S, 28, 28, 1]` float32, support_y `[E, S]` int32, query_x, query_y."""
    rng = np.random.Generator(np.random.PCG64(1))

    def half(examples: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.random((case.episodes, examples * WAYS, SIZE, SIZE, 1), np.float32)
        y = np.tile(np.arange(WAYS, dtype=np.int32), (case.episodes, examples))
        return x, y

    return *half(SHOTS), *half(case.queries)


def flop_per_task(case: Case) -> int:
    """Of the matrix products that second-order MAML cannot do without.

    In units of a layer's forward product: a gradient takes 3 (forward, by kernel, by input), its
    derivative 6 more; the first layer has no gradient by its input (2, and 2 more).
    """
    layers, size, channels = [], SIZE, 1
    for _ in range(BLOCKS):
        size = -(-size // 2)
        layers.append(2 * size * size * 9 * channels * FILTERS)
        channels = FILTERS
    first, rest = layers[0], sum(layers[1:]) + 2 * FILTERS * WAYS
    support = case.inner_steps * SHOTS * WAYS * (4 * first + 9 * rest)
    query = case.queries * WAYS * (2 * first + 3 * rest)
    return support + query
