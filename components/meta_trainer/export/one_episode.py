"""Graphs of their own for what most requests are: one episode, and few queries.

Where E is known to be 1, a convolution with a kernel for each episode is one convolution: no loop.
The operations and so the results are the same. Grappler takes sizes that an operation requires to
be equal for equal everywhere, in other branches too; so E = 1 is not asserted of a stack: its axis
is taken off and put on again.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def for_one_or_many(function: Callable[..., dict[str, Any]], *stacked: Any) -> dict[str, Any]:
    """`function(*stacked)`, with a graph of its own for E = 1.

    Args:
      function: takes nests of tensors `[E, ...]`, and gives one.
      stacked: the nests.
    """
    one = tf.equal(tf.shape(tf.nest.flatten(stacked)[0])[0], 1)
    return tf.cond(one, lambda: function(*_as_one(stacked)), lambda: apart(function)(*stacked))


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function as one node of the graph that calls it, never inlined.

    A session visits every node of a branch that is not taken; of this one it visits a single node.
    """
    return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})


def _as_one(stacked: Any) -> Any:
    """The same nest, its E known to be 1."""
    return tf.nest.map_structure(lambda t: tf.squeeze(t, 0)[None], stacked)
