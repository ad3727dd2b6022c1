"""Sizes that several modules of this folder need."""

import tensorflow as tf

KERNEL = 3
"""Height and width of every convolution."""


def shape_of(x: tf.Tensor) -> list:
    """The sizes of all axes: an int where it is static, else a scalar tensor."""
    dynamic = tf.shape(x)
    return [dynamic[i] if size is None else size for i, size in enumerate(x.shape)]
