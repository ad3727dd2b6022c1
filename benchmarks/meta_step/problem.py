"""The network, weights and episodes that all implementations share. Needs NumPy only.

conv4: four blocks of [3 x 3 convolution with SAME padding, normalisation by the moments of the
batch, offset, ReLU], then a dense layer to 5 ways. Blocks halve their input by stride 2, and the
features are the mean over positions, as on Omniglot; or by a 2 x 2 maximum after the ReLU, and the
features are all values of the last block, as on mini-ImageNet. MAML adapts kernels and the dense
layer; the offsets are meta-learned only. Outer update: Adam as in TF 1.
"""

from typing import NamedTuple

import numpy as np

WAYS, SHOTS, BLOCKS = 5, 1, 4
EPSILON = 1e-3
BETA_1, BETA_2 = 0.9, 0.999


class Outer(NamedTuple):
    """The options of Adam: w <- w - rate * correction * m / (sqrt(v) + epsilon)."""

    rate: float
    epsilon: float


TIMED = Outer(rate=1e-3, epsilon=1e-8)
CHECKED = Outer(rate=20.0, epsilon=1.0)
"""Options of the step whose change of weights is compared. With so large an epsilon the change is
proportional to the meta-gradient; with a small one it would only show its sign."""


class Layer(NamedTuple):
    """A convolution: `size`, height and width of its input and of its output, and its channels."""

    size: int
    out: int
    channels: int


class Case(NamedTuple):
    """The size of a meta-step and of its network.

    Attributes:
      episodes: tasks of the meta-step.
      inner_steps: gradient steps on the support set.
      queries: for each class.
      size, channels: of a picture.
      filters: channels of every block.
      max_pool: whether blocks halve by a 2 x 2 maximum, in place of stride 2.
      inner_learning_rate: for the mean loss over the support set.
    """

    episodes: int
    inner_steps: int
    queries: int
    size: int = 28
    channels: int = 1
    filters: int = 64
    max_pool: bool = False
    inner_learning_rate: float = 0.4

    @property
    def stride(self) -> int:
        """Stride of every convolution."""
        return 1 if self.max_pool else 2

    @property
    def layers(self) -> list[Layer]:
        """The convolutions, first to last."""
        layers, size, channels = [], self.size, self.channels
        for _ in range(BLOCKS):
            out = -(-size // self.stride)
            layers.append(Layer(size, out, channels))
            size, channels = out // 2 if self.max_pool else out, self.filters
        return layers

    @property
    def features(self) -> int:
        """Inputs of the dense layer."""
        last = self.layers[-1].out // 2 if self.max_pool else 1
        return last * last * self.filters


CASES = {
    "1_step_1_query_32_tasks": Case(episodes=32, inner_steps=1, queries=1),
    "5_steps_15_queries_4_tasks": Case(episodes=4, inner_steps=5, queries=15),
    "84_pixels_5_steps_15_queries_2_tasks": Case(
        episodes=2,
        inner_steps=5,
        queries=15,
        size=84,
        channels=3,
        filters=32,
        max_pool=True,
        inner_learning_rate=0.01,
    ),
}
"""The third has the learning rate of MAML's mini-ImageNet. At five times that rate the inner steps
overshoot, and rounding grows with each: `tf.map_fn` in float32 and in float64 then differ by a
thousandth or more in the meta-gradient, at this rate by 2e-5."""


def adapted(name: str) -> bool:
    """Tells whether the inner steps change this weight."""
    return not name.endswith("_offset")


def weights(case: Case) -> dict[str, np.ndarray]:
    """Makes the first weights.

    Kernels `[3, 3, C, F]`, offsets `[F]`, `head_kernel` `[D, N]`, `head_bias` `[N]`.
    """
    rng = np.random.Generator(np.random.PCG64(0))
    arrays = {}
    for block, layer in enumerate(case.layers, 1):
        shape = (3, 3, layer.channels, case.filters)
        scale = np.sqrt(2 / (9 * layer.channels))
        arrays[f"conv{block}_kernel"] = rng.standard_normal(shape) * scale
        arrays[f"conv{block}_offset"] = np.zeros(case.filters)
    arrays["head_kernel"] = rng.standard_normal((case.features, WAYS)) * 0.1
    arrays["head_bias"] = np.zeros(WAYS)
    return {name: value.astype(np.float32) for name, value in arrays.items()}


def episodes(case: Case) -> tuple[np.ndarray, ...]:
    """Makes support_x `[E, S, H, W, C]` float32, support_y `[E, S]` int32, query_x, query_y."""
    rng = np.random.Generator(np.random.PCG64(1))

    def half(examples: int) -> tuple[np.ndarray, np.ndarray]:
        shape = (case.episodes, examples * WAYS, case.size, case.size, case.channels)
        y = np.tile(np.arange(WAYS, dtype=np.int32), (case.episodes, examples))
        return rng.random(shape, np.float32), y

    return *half(SHOTS), *half(case.queries)


def flop_per_task(case: Case) -> int:
    """Counts the floating-point operations of the matrix products that second-order MAML needs.

    In units of a layer's forward product: a gradient takes 3 (forward, by kernel, by input), its
    derivative 6 more; the first layer has no gradient by its input (2, and 2 more).
    """
    flop = [2 * layer.out**2 * 9 * layer.channels * case.filters for layer in case.layers]
    first, rest = flop[0], sum(flop[1:]) + 2 * case.features * WAYS
    support = case.inner_steps * SHOTS * WAYS * (4 * first + 9 * rest)
    query = case.queries * WAYS * (2 * first + 3 * rest)
    return support + query
