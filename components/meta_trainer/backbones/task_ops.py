"""Layers with a task axis: each episode has weights of its own, and all are computed at once.

Shape letters: E episodes, B examples of an episode (support or query), H, W, C as usual, F
filters. A kernel may also be shared by all episodes; it then has no leading E. Every function is
differentiable as often as needed (second-order MAML differentiates twice).

Written for XLA on CPUs, where almost all of the time should be matrix products. What else takes
time is cutting out patches and normalising. Both have gradients written out by hand, which make
fewer passes over the activations, and are functions of this kind again: hence derivatives of any
order.
"""

import tensorflow as tf
from tensorflow.python.ops import control_flow_util  # the only place that tells of XLA

from components.meta_trainer.backbones import patches, plain_convolution
from components.meta_trainer.backbones.shapes import shape_of

EPSILON = 1e-3
"""Added to variances, as in MAML's code."""


def task_conv(x: tf.Tensor, kernel: tf.Tensor, *, stride: int = 1) -> tf.Tensor:
    """3 x 3 convolution with SAME padding, one kernel per episode.

    Args:
      x: `[E, B, H, W, C]`, H and W static.
      kernel: `[E, 3, 3, C, F]`, or `[3, 3, C, F]` shared by all episodes.
      stride: 1 or 2, in both directions.

    Returns:
      `[E, B, ceil(H / stride), ceil(W / stride), F]`.
    """
    if _compiled_by_xla():
        return patches.convolution(x, kernel, stride)
    return plain_convolution.convolution(x, kernel, stride)


def _compiled_by_xla() -> bool:
    """Whether what is traced now is for `tf.function(jit_compile=True)`."""
    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def task_dense(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """`[E, B, D]` times `[E, D, F]` (or `[D, F]`), plus `[E, F]` (or `[F]`): `[E, B, F]`."""
    return tf.matmul(x, kernel) + (bias if bias.shape.rank == 1 else bias[:, None, :])


def moments(x: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of each channel over the examples of an episode and all positions.

    Args:
      x: `[E, B, H, W, F]`.
      weights: `[E, B]`, 1 for an example that counts and 0 for padding; a constant, to which no
        gradient flows.

    Returns:
      mean and (biased) variance, each `[E, 1, 1, 1, F]`.
    """
    _, _, height, width, _ = shape_of(x)
    share = tf.stop_gradient(weights / tf.reduce_sum(weights, axis=1, keepdims=True))
    share = share / tf.cast(height * width, x.dtype)
    of_example = share[:, :, None, None, None]

    @tf.custom_gradient
    def forward(x: tf.Tensor):
        mean = _total(x, share)
        variance = _total(tf.square(x - mean), share)

        def backward(by_mean: tf.Tensor, by_variance: tf.Tensor) -> tf.Tensor:
            # The path from the variance through the mean cancels: sum_b share (x_b - mean) = 0.
            centred = x - _spread(_weighted_sum(x, share), x)
            return of_example * (_spread(by_mean, x) + 2 * _spread(by_variance, x) * centred)

        return (mean, variance), backward

    return forward(x)


def normalise(x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """`(x - mean) / sqrt(variance + EPSILON) + offset`, shapes broadcast over `[E, B, H, W, F]`."""
    scale = tf.math.rsqrt(variance + EPSILON)
    if mean.shape[1] != 1 or offset.shape.rank not in (1, 5):
        return (x - mean) * scale + offset  # moments of each example alone
    offset = tf.broadcast_to(offset, tf.shape(scale))
    ones = tf.ones(shape_of(x)[:2], x.dtype)

    @tf.custom_gradient
    def forward(x: tf.Tensor, mean: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor):
        def backward(upstream: tf.Tensor):
            total = _weighted_sum(upstream, ones)
            by_scale = _weighted_sum(upstream * (x - _spread(mean, x)), ones)
            return upstream * _spread(scale, x), -scale * total, by_scale, total

        return (x - mean) * scale + offset, backward

    return forward(x, mean, scale, offset)


def max_pool(x: tf.Tensor) -> tf.Tensor:
    """2 x 2 maximum, odd edges dropped: `[E, B, H, W, F]` -> `[E, B, H // 2, W // 2, F]`."""
    episodes, examples, height, width, filters = shape_of(x)
    rows, columns = height // 2, width // 2
    if not _compiled_by_xla():
        images = tf.reshape(x, [episodes * examples, height, width, filters])
        pooled = tf.nn.max_pool2d(images, 2, 2, "VALID")
        return tf.reshape(pooled, [episodes, examples, rows, columns, filters])
    x = x[:, :, : 2 * rows, : 2 * columns]
    squares = tf.reshape(x, [episodes, examples, rows, 2, columns, 2, filters])
    return tf.reduce_max(squares, axis=[3, 5])


def _weighted_sum(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """`sum_b weights_b sum_hw x_bhw`: `[E, B, H, W, F]`, `[E, B]` -> `[E, 1, 1, 1, F]`.

    Its gradient by `x` is the weighted `_spread`; `weights` are constants.
    """

    @tf.custom_gradient
    def forward(x: tf.Tensor):
        return _total(x, weights), backward

    like = tf.stop_gradient(x)

    @tf.custom_gradient
    def backward(upstream: tf.Tensor):
        spread = weights[:, :, None, None, None] * tf.broadcast_to(upstream, tf.shape(like))
        return spread, forward

    return forward(x)


def _spread(small: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """`[E, 1, 1, 1, F]` repeated for every example and position of `like`."""
    like = tf.stop_gradient(like)
    ones = tf.ones(shape_of(like)[:2], like.dtype)

    @tf.custom_gradient
    def forward(small: tf.Tensor):
        return tf.broadcast_to(small, tf.shape(like)), lambda by: _weighted_sum(by, ones)

    return forward(small)


def _total(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The value of `_weighted_sum`.

    Positions first, then examples, as a product: one sum over both loses a digit of float32, which
    is summed in one sweep, and where XLA knows that the weights are ones it would make one of two.
    """
    of_example = tf.reduce_sum(x, axis=[2, 3])
    return tf.matmul(weights[:, None, :], of_example)[:, :, None, None, :]
