"""Normalising by moments, and the rectifier after it, with first and second derivatives by hand.

Shape letters as in `convolution.py`. The second derivative keeps only x and dL/dy. Each tensor that
a step keeps is copied once per inner step, so two activations instead of seven make it faster.
Higher derivatives are TensorFlow's own.

A `GradientTape` inside the gradient would be shorter, but gives wrong numbers: where TensorFlow
differentiates a loop, the tensors that such a tape watches belong to another graph, and it silently
loses a part of the gradient (taking `tf.identity` of each before the tape repairs that).
"""

from collections.abc import Callable

import tensorflow as tf

from components.meta_trainer.kernels.shapes import shape_of
from components.meta_trainer.kernels.xla import compiled_by_xla

EPSILON = 1e-3
"""Added to variances, as in MAML's code."""
MANY_ROWS = 16
"""Rows of an image from which on their sum is many times faster as a sum of slices in XLA. For less
it is as fast, and takes longer to compile."""


def moments(x: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and (biased) variance of each channel, `[E, 1, 1, 1, F]`, over examples and positions.

    `x` are activations `[E, B, H, W, F]`; `weights` `[E, B]` are 1 for an example that counts and 0
    for padding, and constants, to which no gradient flows.
    """
    _, _, height, width, _ = shape_of(x)
    share = tf.stop_gradient(weights / tf.reduce_sum(weights, axis=1, keepdims=True))
    share = share / tf.cast(height * width, x.dtype)
    mean = _weighted_sum(x, share)
    return mean, _variance(x, mean, share)


def _variance(x: tf.Tensor, mean: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """`sum_b share_b sum_hw (x_bhw - mean)^2` with the mean of this very `x`.

    The gradient by `mean`, -2 sum_b share_b sum_hw (x_bhw - mean), is 0 for every x.
    """
    of_example = share[:, :, None, None, None]

    @tf.custom_gradient
    def variance(x: tf.Tensor, mean: tf.Tensor):
        def gradient(upstream: tf.Tensor):
            return by_x(x, mean, upstream), tf.zeros_like(mean)

        return _total_product(x - mean, x - mean, share), gradient

    @tf.custom_gradient
    def by_x(x: tf.Tensor, mean: tf.Tensor, upstream: tf.Tensor):
        def gradient(second: tf.Tensor):
            total = _weighted_sum(second, share)
            with_centred = _total_product(second, x - mean, share)
            return 2 * of_example * upstream * second, -2 * upstream * total, 2 * with_centred

        return 2 * of_example * upstream * (x - mean), gradient

    return variance(x, mean)


def normalise(
    x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, offset: tf.Tensor, slope: float = 1.0
) -> tf.Tensor:
    """`rectify((x - mean) / sqrt(variance + EPSILON) + offset, slope)`.

    `x` are activations `[E, B, H, W, F]`; mean, variance and offset broadcast over them.
    """
    scale = tf.math.rsqrt(variance + EPSILON)
    # Moments that all episodes share, and those of each example alone: TensorFlow's own gradient,
    # which an exported model has too.
    if mean.shape.rank == 1 or mean.shape[1] != 1 or offset.shape.rank not in (1, 5):
        return rectify((x - mean) * scale + offset, slope)
    offset = tf.broadcast_to(offset, tf.shape(scale))
    ones = tf.ones(shape_of(x)[:2], x.dtype)

    @tf.custom_gradient
    def forward(x: tf.Tensor, mean: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor):
        def gradient(upstream: tf.Tensor):
            by_x, by_scale, total = backward(x, mean, scale, offset, upstream)
            return by_x, -scale * total, by_scale, total

        return rectify((x - mean) * scale + offset, slope), gradient

    @tf.custom_gradient
    def backward(x, mean, scale, offset, upstream):
        def through_rectifier(upstream: tf.Tensor) -> tf.Tensor:
            if slope == 1.0:
                return upstream
            return tf.where((x - mean) * scale + offset > 0, upstream, slope * upstream)

        def gradient(by_first: tf.Tensor, by_scale: tf.Tensor, by_total: tf.Tensor):
            g = through_rectifier(upstream)
            by_g = by_first * scale + by_scale * (x - mean) + by_total
            return (
                by_scale * g,
                -by_scale * _weighted_sum(g, ones),
                _total_product(by_first, g, ones),
                tf.zeros_like(offset),
                through_rectifier(by_g),
            )

        g = through_rectifier(upstream)
        return (g * scale, _total_product(g, x - mean, ones), _total(g, ones)), gradient

    return forward(x, mean, scale, offset)


def rectify(y: tf.Tensor, slope: float) -> tf.Tensor:
    """`y` where it is positive, else `slope * y`: slope 0 is ReLU, slope 1 the identity."""
    if slope == 1.0:
        return y
    return tf.nn.relu(y) if slope == 0.0 else tf.maximum(y, slope * y)


def _weighted_sum(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """`sum_b weights_b sum_hw x_bhw`: `[E, B, H, W, F]`, `[E, B]` -> `[E, 1, 1, 1, F]`.

    Its gradient by `x_bhw` is `weights_b` times the upstream gradient; `weights` are constants.
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


def _total(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The value of `_weighted_sum`.

    Summed over positions first, then over examples by a matrix product: one sum over both would be
    a single sweep, which loses a digit of float32. (Two sums are not enough: where XLA knows that
    the weights are ones, it merges them into one.) Without XLA, calling for the product costs more
    than computing it.
    """
    if not compiled_by_xla():
        of_example = tf.reduce_sum(x, axis=[2, 3], keepdims=True)
        return tf.reduce_sum(weights[:, :, None, None, None] * of_example, axis=1, keepdims=True)
    if x.shape[2] < MANY_ROWS:
        of_example = tf.reduce_sum(x, axis=[2, 3])
        return tf.matmul(weights[:, None, :], of_example)[:, :, None, None, :]
    return _of_examples(_over_rows(lambda rows: x[:, :, rows], x.shape[2]), weights)


def _total_product(x: tf.Tensor, y: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The value of `_weighted_sum` of `x * y`.

    XLA materialises x * y before summing; row by row, that temporary is one row.
    """
    if not compiled_by_xla():
        return _total(x * y, weights)
    of_row = _over_rows(lambda rows: x[:, :, rows] * y[:, :, rows], x.shape[2])
    return _of_examples(of_row, weights)


def _over_rows(part: Callable[[slice], tf.Tensor], height: int) -> tf.Tensor:
    """The sum over rows, `[E, B, W, F]`, of what `part` gives of some of them, `[E, B, h, W, F]`.

    A sum of slices, which XLA computes several channels at a time, at the speed of memory: its own
    sum over two axes in the middle takes five times as long (17 ms for 3.6, 75 images of 84 x 84
    x 32). Where there are many rows each slice has several of them: fewer terms to compile.
    """
    size = max(1, height // 12)
    whole = height - height % size
    sums = tf.add_n([part(slice(at, at + size)) for at in range(0, whole, size)])
    rows = [sums[:, :, row] for row in range(size)]
    return tf.add_n(rows + [part(slice(at, at + 1))[:, :, 0] for at in range(whole, height)])


def _of_examples(of_row: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """`sum_b weights_b sum_w x_bw`: `[E, B, W, F]`, `[E, B]` -> `[E, 1, 1, 1, F]`."""
    of_example = tf.reduce_sum(of_row, axis=2)
    return tf.matmul(weights[:, None, :], of_example)[:, :, None, None, :]
