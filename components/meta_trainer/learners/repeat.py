"""Repeating a step on a dict of tensors as a loop in the graph, differentiable to second order.

Unrolled, five second-order steps take XLA five times as long to compile as one. A loop of known
length is compiled once, whatever its length, and is 3% slower (53 s to compile against 10, five
steps of conv4-64 on one core each): what the gradient needs of each step is copied there and back.
So it pays to keep little (`kernels/moments.py`). Tried in its place, and no faster: a compiled
program or a conditional for each step.
"""

from collections.abc import Callable

import tensorflow as tf

from components.meta_trainer.types import Weights

Step = Callable[[tf.Tensor, dict[str, tf.Tensor]], dict[str, tf.Tensor]]
"""`(step number, int32 scalar; state) -> ` the next state, the same names and shapes."""


def repeat(step: Step, state: Weights, steps: int) -> dict[str, tf.Tensor]:
    """The state after `steps` steps.

    Args:
      step: pure; what it needs beside the state it may capture, and gradients flow there too.
        Values that differ by step are looked up as `values[number]`.
      state: the state before the first step.
      steps: how many. A single step needs no loop, which would only cost copies.
    """
    names = sorted(state)
    if steps <= 1:
        return step(tf.constant(0), dict(state)) if steps else dict(state)

    def body(number: tf.Tensor, *values: tf.Tensor):
        after = step(number, dict(zip(names, values)))
        return [number + 1, *(after[name] for name in names)]

    loop = [tf.constant(0), *(state[name] for name in names)]
    # A bound that XLA knows lets it allocate what the gradient needs of each step.
    _, *values = tf.while_loop(lambda n, *_: n < steps, body, loop, maximum_iterations=steps)
    return dict(zip(names, values))


def answers_along(
    step: Step, state: Weights, steps: int, answer: Callable[[dict[str, tf.Tensor]], tf.Tensor]
) -> tf.Tensor:
    """What `answer` makes of the state before and after each step.

    Args:
      step, state, steps: as for `repeat`.
      answer: `state -> [E, ...]`.

    Returns:
      `[E, steps + 1, ...]`; not differentiable.
    """
    names = sorted(state)
    first = answer(dict(state))
    found = tf.TensorArray(first.dtype, steps + 1, element_shape=first.shape).write(0, first)

    def body(number: tf.Tensor, found: tf.TensorArray, *values: tf.Tensor):
        after = step(number, dict(zip(names, values)))
        found = found.write(number + 1, answer(after))
        return [number + 1, found, *(after[name] for name in names)]

    loop = [tf.constant(0), found, *(state[name] for name in names)]
    _, found, *_ = tf.while_loop(lambda n, *_: n < steps, body, loop)
    return tf.stack(tf.unstack(found.stack(), steps + 1), axis=1)
