"""Sizes that several modules of this folder ask for."""

import tensorflow as tf

KERNEL = 3
"""Height and width of every convolution."""


def shape_of(x: tf.Tensor) -> list:
    """The static size where it is known, else the dynamic one."""
    dynamic = tf.shape(x)
    return [dynamic[i] if size is None else size for i, size in enumerate(x.shape)]
