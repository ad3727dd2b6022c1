"""Repeating a step on a nest of tensors as a loop in the graph, differentiable to second order.

Unrolled, five second-order steps take XLA five times as long to compile as one. A loop of known
length is compiled once, whatever its length, and is 3% slower (53 s to compile against 10, five
steps of conv4-64 on one core each): what the gradient needs of each step is copied there and back.
So it pays to keep little (`kernels/moments.py`). Tried instead, and no faster: a compiled program
or a conditional for each step.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.meta_trainer.types import Weights

Step = Callable[[tf.Tensor, dict[str, Any]], dict[str, Any]]
"""`(step number, int32 scalar; state) -> ` the next state, of the same names and shapes."""


def repeat(step: Step, state: Weights, steps: int) -> dict[str, Any]:
    """The state after `steps` steps; a single one needs no loop, which would only cost copies.

    `step` is pure; what it needs beside the state it may capture, and gradients flow there too.
    Values that differ by step are looked up as `values[number]`.
    """
    state = dict(state)
    if steps <= 1:
        return step(tf.constant(0), state) if steps else state

    def body(number: tf.Tensor, *values: tf.Tensor):
        after = step(number, tf.nest.pack_sequence_as(state, values))
        return [number + 1, *tf.nest.flatten(after)]

    loop = [tf.constant(0), *tf.nest.flatten(state)]
    # A bound that XLA knows lets it allocate what the gradient needs of each step.
    _, *values = tf.while_loop(lambda n, *_: n < steps, body, loop, maximum_iterations=steps)
    return tf.nest.pack_sequence_as(state, values)


def record_path(
    step: Step, state: Weights, steps: int, output: Callable[[dict[str, Any]], tf.Tensor]
) -> tf.Tensor:
    """The output `[E, ...]` of the state before and after each step, `[E, steps + 1, ...]`.

    It is not differentiable; step and state are as for `repeat`.
    """
    state = dict(state)
    first = output(state)
    outputs = tf.TensorArray(first.dtype, steps + 1, element_shape=first.shape).write(0, first)

    def body(number: tf.Tensor, outputs: tf.TensorArray, *values: tf.Tensor):
        after = step(number, tf.nest.pack_sequence_as(state, values))
        outputs = outputs.write(number + 1, output(after))
        return [number + 1, outputs, *tf.nest.flatten(after)]

    loop = [tf.constant(0), outputs, *tf.nest.flatten(state)]
    _, outputs, *_ = tf.while_loop(lambda n, *_: n < steps, body, loop)
    return tf.stack(tf.unstack(outputs.stack(), steps + 1), axis=1)
