"""The meta-gradient on all cores: stacks of episodes cut into chunks that run side by side.

On a CPU, a few large operations shared by all cores are slower than whole chunks of episodes, one
per core: no operation waits for its slowest thread, and a chunk's activations fit into the core's
cache. So each operation runs on a single thread (`components.single_threaded`), and TensorFlow's
executor runs independent chunks at once.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import tensorflow as tf

Result = TypeVar("Result")

EXAMPLE_BYTES = 6_400
"""Bytes of a core's cache for each example of a chunk. On cores with 1 MiB, episodes of 80 images
are 5% faster by twos than one by one, though what they keep does not fit: XLA leaves the small
products of one episode to Eigen, and those of two to oneDNN, which is faster. By fours, episodes of
50 and 80 images were 9 to 13% slower than one by one on a core with a small cache."""
SMALL_CACHE = 512 * 1024
"""Bytes of a core's cache, where the system does not say."""


def chunk_size(
    episodes: int, cores: int, examples: int, *, largest: int, cache: int | None = None
) -> int:
    """Episodes in a chunk: a divisor of `episodes` that leaves no core idle, if there is one.

    Chunks of one size are compiled once. `examples` counts those of one episode, support and query;
    `largest` is the largest chunk that the learner allows; `cache` is in bytes, those of a core of
    this machine if `None`.
    """
    cache = cache or core_cache()
    largest = min(largest, max(1, cache // EXAMPLE_BYTES // examples))
    sizes = range(1, largest + 1)
    return max((n for n in sizes if episodes % n == 0 and episodes // n >= cores), default=1)


@functools.cache
def core_cache() -> int:
    """Bytes of a core's second-level cache, from Linux's file (`2048K`)."""
    try:
        text = Path("/sys/devices/system/cpu/cpu0/cache/index2/size").read_text().strip()
    except OSError:
        return SMALL_CACHE
    return int(text[:-1]) * 1024 if text[:-1].isdigit() and text.endswith("K") else SMALL_CACHE


def mean_over_chunks(
    function: Callable[..., Result], stacked: tuple[tf.Tensor, ...], size: int
) -> Result:
    """The mean of a function's results, any nest of tensors, over chunks of episodes.

    For a function whose results are means over its episodes, such as a meta-gradient, that is its
    result for all of them at once, up to rounding. It takes as many tensors `[size, ...]` as
    `stacked` has, `[E, ...]` with E static; it is best a `tf.function(jit_compile=True)`: all
    chunks share its program. The rest, if E is not a multiple of `size`, is a smaller chunk
    (compiled once more) with its share of the mean.
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
