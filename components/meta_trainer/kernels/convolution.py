"""Convolution with an episode axis: each episode has its own weights, all computed at once.

Shape letters: E episodes, B examples of an episode (support or query), H height, W width, C
channels, F filters. A kernel may also be shared by all episodes; it then has no leading E. Every
function is differentiable as often as needed (second-order MAML differentiates twice).

Written for CPUs, where almost all of the time should go into matrix products. The rest goes into
cutting out patches (`patches.py`), maxima (`pooling.py`) and normalising (`moments.py`). They have
gradients written by hand, which make fewer passes over the activations. A network is compiled by
XLA as a whole, or on large images in pieces between its convolutions (`pieces.py`).
"""

import tensorflow as tf

from components.meta_trainer.kernels import patches, plain_convolution, pooling
from components.meta_trainer.kernels.shapes import shape_of
from components.meta_trainer.kernels.xla import compiled_by_xla


def task_conv(x: tf.Tensor, kernel: tf.Tensor, *, stride: int = 1) -> tf.Tensor:
    """3 x 3 convolution with SAME padding, one kernel per episode or one shared by all.

    `x` `[E, B, H, W, C]`, H and W static, with a kernel `[E, 3, 3, C, F]` or `[3, 3, C, F]` and a
    stride of 1 or 2 in both directions gives `[E, B, ceil(H / stride), ceil(W / stride), F]`.
    """
    module = patches if compiled_by_xla() else plain_convolution
    return module.convolution(x, kernel, stride)


def max_pool(x: tf.Tensor) -> tf.Tensor:
    """2 x 2 maximum, odd edges dropped: `[E, B, H, W, F]` -> `[E, B, H // 2, W // 2, F]`."""
    if compiled_by_xla():
        return pooling.max_pool(x)
    episodes, examples, height, width, filters = shape_of(x)
    images = tf.reshape(x, [episodes * examples, height, width, filters])
    pooled = tf.nn.max_pool2d(images, 2, 2, "VALID")
    return tf.reshape(pooled, [episodes, examples, height // 2, width // 2, filters])
