"""Programs for the pieces between two convolutions, where XLA does not compile the whole.

XLA convolves by cutting patches, nine times as large as the images. On large images TensorFlow's
own convolutions, oneDNN's on CPUs, are faster: they read the images as they are. What stands
between them, normalisation and maxima, is many passes over memory as operations of TensorFlow, and
one or two as a program. So there the graph convolves, and calls a program for each piece: one for
its value, one for its gradient, one for its second derivative. Each computes anew what it needs of
the inputs, which are all that is kept.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

LARGE = 40 * 40
"""Positions after the first convolution from which on pieces are faster than one program for all.
conv4 on two cores: 0.7 times the speed with 14 x 14 positions (28 x 28 pixels, stride 2), 1.3 times
with 42 x 42 and 56 x 56, and about twice with 84 x 84 (maxima in place of the stride)."""
DERIVATIVES = 2
"""Orders of derivatives that are programs of their own; higher ones are TensorFlow's."""
_active = contextvars.ContextVar("pieces", default=False)


def in_pieces(height: int, width: int) -> bool:
    """Whether a network whose first convolution gives images of this size compiles in pieces."""
    return height * width >= LARGE


def disable_graph_optimiser() -> None:
    """Turns TensorFlow's graph optimiser off in this process.

    It takes a CPU's memory to be 256 MB, and puts temporary variables in place of a loop's sums of
    three and more large gradients; a loop around that fails with AlreadyExistsError.
    """
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@contextlib.contextmanager
def compile_pieces(active: bool) -> Iterator[None]:
    """If `active`, every `piece` that is traced inside this context becomes programs."""
    token = _active.set(active)
    try:
        yield
    finally:
        _active.reset(token)


def piece(function: Callable[..., Any], *inputs: Any) -> Any:
    """`function(*inputs)`, by programs of its own inside `compile_pieces`.

    Inputs and results are nests of tensors, in which `None` may stand. The function is
    differentiable, by its inputs alone.
    """
    if not _active.get():
        return function(*inputs)
    leaves = tf.nest.flatten(inputs)
    there = [leaf is not None for leaf in leaves]
    results: list[Any] = []

    def flat(*tensors: tf.Tensor) -> list[tf.Tensor]:
        left = iter(tensors)
        all_leaves = [next(left) if is_there else None for is_there in there]
        results[:] = [function(*tf.nest.pack_sequence_as(inputs, all_leaves))]
        return tf.nest.flatten(results[0])

    values = _programs(flat, DERIVATIVES)(*(leaf for leaf in leaves if leaf is not None))
    return tf.nest.pack_sequence_as(results[0], tf.nest.flatten(values))


def _programs(function: Callable[..., list[tf.Tensor]], derivatives: int) -> Callable[..., Any]:
    """The function as a program, whose gradient is a program too, and so on."""
    program = tf.function(function, jit_compile=True, autograph=False)
    if not derivatives:
        return program

    @tf.custom_gradient
    def differentiable(*inputs: tf.Tensor):
        def gradient(*tensors: tf.Tensor) -> list[tf.Tensor]:
            # Inputs of this program: so the tape sees all that it watches, in loops too.
            inputs_here, upstream = tensors[: len(inputs)], tensors[len(inputs) :]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(inputs_here)
                outputs = function(*inputs_here)
            return tape.gradient(outputs, inputs_here, list(upstream), unconnected_gradients="zero")

        def backward(*upstream: tf.Tensor):
            return _programs(gradient, derivatives - 1)(*inputs, *upstream)

        return program(*inputs), backward

    return differentiable
