"""Linear maps, with weights of each episode or shared by all."""

import tensorflow as tf


def pointwise(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """A 1 x 1 convolution: `[E, B, ...positions, D]` -> `[E, B, ...positions, F]`.

    All sizes but E and B are static; the kernel is `[E, D, F]`, or `[D, F]` shared by all episodes.
    """
    sizes = tf.shape(x)
    out = tf.matmul(tf.reshape(x, [sizes[0], -1, x.shape[-1]]), kernel)
    return tf.reshape(out, [sizes[0], sizes[1], *x.shape[2:-1], kernel.shape[-1]])


def task_dense(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """A dense layer: `[E, B, D]` times `[E, D, F]` (or `[D, F]`), plus `[E, F]` (or `[F]`)."""
    return tf.matmul(x, kernel) + (bias if bias.shape.rank == 1 else bias[:, None, :])
