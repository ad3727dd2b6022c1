"""Convolutions where XLA does not compile: TensorFlow's own (on CPUs they are oneDNN's).

Without XLA they are many times faster than patches; with it they are slower. Exported models,
meta-validation and, on large images, meta-steps use them (`pieces.py`).
"""

from collections.abc import Callable

import tensorflow as tf

from components.meta_trainer.kernels.shapes import KERNEL, shape_of


def convolution(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """`convolution.task_conv`: 3 x 3 with SAME padding."""
    if kernel.shape.rank == 5 and x.shape[0] != 1:
        return _episode_by_episode(x, kernel, stride)
    # One episode is convolved as episodes with a shared kernel are, by the very same operations:
    # where both stand in a graph, as in a first inner step, TensorFlow computes them once.
    kernel = tf.reshape(tf.reshape(kernel, [1, *kernel.shape[-4:]]), kernel.shape[-4:])
    episodes, examples, *of_image = shape_of(x)
    y = tf.nn.conv2d(tf.reshape(x, [-1, *of_image]), kernel, stride, "SAME")
    return tf.reshape(y, [episodes, -1 if x.shape[0] == 1 else examples, *shape_of(y)[1:]])


def _episode_by_episode(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """The convolution with a kernel for each episode, in a loop over episodes.

    <conv(x, kernel), y> is linear in each of the three. Its derivatives by y, kernel and x are the
    functions below, and theirs are these functions again, whatever the order.
    """
    options = {"strides": [1, stride, stride, 1], "padding": "SAME"}
    shape, of_image = shape_of(x)[1:], x.shape[2:]

    @tf.custom_gradient
    def conv(x: tf.Tensor, kernel: tf.Tensor):
        y = _each(lambda x, kernel: tf.nn.conv2d(x, kernel, **options), x, kernel)
        return y, lambda by: (by_input(by, kernel), by_kernel(x, by))

    @tf.custom_gradient
    def by_kernel(x: tf.Tensor, y: tf.Tensor):
        sizes = [KERNEL, KERNEL, x.shape[-1], y.shape[-1]]

        def one(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
            given = {"input": x, "filter_sizes": sizes, "out_backprop": y}
            return tf.raw_ops.Conv2DBackpropFilter(**given, **options)

        return _each(one, x, y), lambda by: (by_input(y, by), conv(x, by))

    @tf.custom_gradient
    def by_input(y: tf.Tensor, kernel: tf.Tensor):
        def one(y: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
            given = {"input_sizes": shape, "filter": kernel, "out_backprop": y}
            x = tf.raw_ops.Conv2DBackpropInput(**given, **options)
            return tf.ensure_shape(x, [None, *of_image])

        return _each(one, y, kernel), lambda by: (conv(by, kernel), by_kernel(by, y))

    return conv(x, kernel)


def _each(function: Callable[..., tf.Tensor], *stacked: tf.Tensor) -> tf.Tensor:
    """The results of `function` for each episode, stacked."""
    dtype = stacked[0].dtype
    return tf.map_fn(lambda tensors: function(*tensors), stacked, fn_output_signature=dtype)
