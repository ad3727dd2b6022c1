"""Linear maps, with weights of each episode or shared by all."""

import tensorflow as tf


def pointwise(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """A 1 x 1 convolution, on any number of position axes.

    Args:
      x: `[E, B, ...positions, D]`, all but E and B of static size.
      kernel: `[E, D, F]`, or `[D, F]` shared by all episodes.

    Returns:
      `[E, B, ...positions, F]`.
    """
    sizes = tf.shape(x)
    positions = list(x.shape[2:-1])
    rows = tf.reshape(x, [sizes[0], -1, x.shape[-1]])
    out = tf.matmul(rows, kernel)
    return tf.reshape(out, [sizes[0], sizes[1], *positions, kernel.shape[-1]])


def task_dense(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """A dense layer: `[E, B, D]` times `[E, D, F]` (or `[D, F]`), plus `[E, F]` (or `[F]`)."""
    return tf.matmul(x, kernel) + (bias if bias.shape.rank == 1 else bias[:, None, :])
