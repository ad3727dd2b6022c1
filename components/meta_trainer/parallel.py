"""The meta-gradient on all cores: stacks of episodes cut into chunks that run side by side.

On a CPU, a few large operations shared by all cores are slower than whole chunks of episodes, one
per core: nothing waits for the slowest thread of each operation, and a chunk's activations fit
into the core's cache. So each operation is told to keep to one core (`components.one_core`), and
independent chunks are left to TensorFlow's executor, which runs them at once.
"""

from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

Result = TypeVar("Result")

CHUNK = 2
"""Episodes of a chunk, at most: two small ones share what starting a program costs."""
EXAMPLES = 40
"""Examples of a chunk's episodes, or one episode of more: what they leave behind in each layer
should fit into the core's cache. Chunks of 1 were 9 to 13% faster than of 4 for episodes of 50 and
80 images, and 4% slower for episodes of 10."""


def chunk_size(episodes: int, cores: int, examples: int, largest: int = CHUNK) -> int:
    """How many episodes a chunk has: a divisor of `episodes` that leaves no core idle, if any does.

    Chunks of one size are compiled once.

    Args:
      episodes: of a stack.
      cores: to be kept busy.
      examples: of one episode, support and query.
      largest: no more than so many.
    """
    largest = min(largest, max(1, EXAMPLES // examples))
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
