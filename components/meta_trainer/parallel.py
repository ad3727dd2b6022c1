"""The meta-gradient on all cores: stacks of episodes cut into chunks that run side by side.

On a CPU, a few large operations shared by all cores are slower than whole chunks of episodes, one
per core: nothing waits for the slowest thread of each operation, and a chunk's activations fit
into the core's cache. So XLA is told to run each program on one core (`one_core_per_program`), and
independent chunks are left to TensorFlow's executor, which runs them at once.
"""

import os
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

Result = TypeVar("Result")

CHUNK = 4
"""Episodes of a chunk: the activations of a few fit into a core's cache."""


def one_core_per_program() -> None:
    """Has XLA run each compiled program on one core; other operations keep all threads.

    Works until the first program of the process is compiled; later it changes nothing.
    """
    flag = "--xla_cpu_multi_thread_eigen=false"
    flags = os.environ.get("XLA_FLAGS", "")
    if flag not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {flag}".strip()


def chunk_size(episodes: int, cores: int, largest: int = CHUNK) -> int:
    """The largest divisor of `episodes` up to `largest` that leaves no core idle, if one exists.

    Chunks of one size are compiled once.
    """
    sizes = range(1, largest + 1)
    return max((n for n in sizes if episodes % n == 0 and episodes // n >= cores), default=1)


def mean_over_chunks(
    function: Callable[..., Result], stacked: tuple[tf.Tensor, ...], size: int
) -> Result:
    """The mean of what a function gives for each chunk of episodes.

    For a function whose results are means over its episodes, such as a meta-gradient, that is
    what it would give for all of them at once, up to rounding.

    Args:
      function: takes as many tensors as `stacked` has, each `[size, ...]`, and gives any nest
        of tensors. It is best a `tf.function(jit_compile=True)`: all chunks share its program.
      stacked: tensors `[E, ...]`, E static.
      size: episodes in a chunk. The rest, if E is not a multiple, is a smaller chunk (compiled
        once more) with its share of the mean.
    """
    episodes = stacked[0].shape[0]
    if episodes is None:
        raise ValueError("`stacked` must have a static number of episodes, to be cut into chunks.")
    starts = range(0, episodes, size)
    parts = [function(*(tensor[at : at + size] for tensor in stacked)) for at in starts]
    shares = [min(size, episodes - at) / episodes for at in starts]
    return tf.nest.map_structure(
        lambda *values: tf.add_n([share * value for share, value in zip(shares, values)]), *parts
    )
