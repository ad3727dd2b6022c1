"""The network, weights and episodes that all implementations share. Needs NumPy only.

conv4-64: four blocks of [3 x 3 convolution with stride 2 and SAME padding, normalisation by the
moments of the batch, offset, ReLU], the mean over positions, a dense layer to 5 ways. MAML adapts
kernels and the dense layer; the offsets are meta-learned only. Outer update: Adam as in TF 1.
"""

from typing import NamedTuple

import numpy as np

WAYS, SHOTS, SIZE, FILTERS, BLOCKS = 5, 1, 28, 64, 4
INNER_LEARNING_RATE, EPSILON = 0.4, 1e-3
BETA_1, BETA_2 = 0.9, 0.999


class Outer(NamedTuple):
    """The options of Adam: w <- w - rate * correction * m / (sqrt(v) + epsilon)."""

    rate: float
    epsilon: float


TIMED = Outer(rate=1e-3, epsilon=1e-8)
CHECKED = Outer(rate=20.0, epsilon=1.0)
"""Options of the step whose change of weights is compared. With so large an epsilon the change is
proportional to the meta-gradient; with a small one it would only show its sign."""


class Case(NamedTuple):
    """The size of a meta-step; `queries` is the number of queries for each class."""

    episodes: int
    inner_steps: int
    queries: int


CASES = {
    "1_step_1_query_32_tasks": Case(episodes=32, inner_steps=1, queries=1),
    "5_steps_15_queries_4_tasks": Case(episodes=4, inner_steps=5, queries=15),
}


def adapted(name: str) -> bool:
    """Tells whether the inner steps change this weight."""
    return not name.endswith("_offset")


def weights() -> dict[str, np.ndarray]:
    """Makes the first weights.

    Kernels `[3, 3, C, F]`, offsets `[F]`, `head_kernel` `[F, N]`, `head_bias` `[N]`.
    """
    rng = np.random.Generator(np.random.PCG64(0))
    arrays, channels = {}, 1
    for block in range(1, BLOCKS + 1):
        shape = (3, 3, channels, FILTERS)
        arrays[f"conv{block}_kernel"] = rng.standard_normal(shape) * np.sqrt(2 / (9 * channels))
        arrays[f"conv{block}_offset"] = np.zeros(FILTERS)
        channels = FILTERS
    arrays["head_kernel"] = rng.standard_normal((FILTERS, WAYS)) * 0.1
    arrays["head_bias"] = np.zeros(WAYS)
    return {name: value.astype(np.float32) for name, value in arrays.items()}


def episodes(case: Case) -> tuple[np.ndarray, ...]:
    """Makes support_x `[E, S, 28, 28, 1]` float32, support_y `[E, S]` int32, query_x, query_y."""
    rng = np.random.Generator(np.random.PCG64(1))

    def half(examples: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.random((case.episodes, examples * WAYS, SIZE, SIZE, 1), np.float32)
        y = np.tile(np.arange(WAYS, dtype=np.int32), (case.episodes, examples))
        return x, y

    return *half(SHOTS), *half(case.queries)


def flop_per_task(case: Case) -> int:
    """Counts the floating-point operations of the matrix products that second-order MAML needs.

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
