"""Normalising by moments, and the rectifier after it, with gradients of two orders by hand.

Shape letters as in `convolution.py`. The second derivative keeps only x and dL/dy. Each tensor that
a step keeps is copied once per inner step, so two activations instead of seven make it faster.
Higher derivatives are TensorFlow's own.

By hand, and not by a `GradientTape` inside the gradient: where TensorFlow differentiates a loop,
what such a tape watches are tensors of another graph, and it loses some of what is computed from
them, without a word (`tf.identity` of each before the tape mends that).
"""

import tensorflow as tf

from components.meta_trainer.kernels.shapes import shape_of
from components.meta_trainer.kernels.xla import compiled_by_xla

EPSILON = 1e-3
"""Added to variances, as in MAML's code."""


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
    mean = _weighted_sum(x, share)
    return mean, _variance(x, mean, share)


def _variance(x: tf.Tensor, mean: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """`sum_b share_b sum_hw (x_bhw - mean)^2` with the mean of this very `x`.

    Nothing goes back through `mean`: -2 sum_b share_b sum_hw (x_bhw - mean) is 0, whatever x is.
    """
    of_example = share[:, :, None, None, None]

    @tf.custom_gradient
    def variance(x: tf.Tensor, mean: tf.Tensor):
        def gradient(upstream: tf.Tensor):
            return by_x(x, mean, upstream), tf.zeros_like(mean)

        return _total_product(x - mean, x - mean, share), gradient

    @tf.custom_gradient
    def by_x(x: tf.Tensor, mean: tf.Tensor, upstream: tf.Tensor):
        def gradient(by: tf.Tensor):
            total = _weighted_sum(by, share)
            with_centred = _total_product(by, x - mean, share)
            return 2 * of_example * upstream * by, -2 * upstream * total, 2 * with_centred

        return 2 * of_example * upstream * (x - mean), gradient

    return variance(x, mean)


def normalise(
    x: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    offset: tf.Tensor,
    slope: float = 1.0,
) -> tf.Tensor:
    """`rectify((x - mean) / sqrt(variance + EPSILON) + offset, slope)`.

    Args:
      x: `[E, B, H, W, F]`.
      mean, variance, offset: broadcast over `x`.
      slope: see `rectify`.
    """
    scale = tf.math.rsqrt(variance + EPSILON)
    if mean.shape[1] != 1 or offset.shape.rank not in (1, 5):
        return rectify((x - mean) * scale + offset, slope)  # moments of each example alone
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
    """`y` where it is positive, else `slope * y`: 0 is ReLU, 1 leaves `y` as it is."""
    if slope == 1.0:
        return y
    return tf.nn.relu(y) if slope == 0.0 else tf.maximum(y, slope * y)


def _weighted_sum(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """`sum_b weights_b sum_hw x_bhw`: `[E, B, H, W, F]`, `[E, B]` -> `[E, 1, 1, 1, F]`.

    Its gradient gives each `x_bhw` its `weights_b` of what comes back; `weights` are constants.
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

    Positions first, then examples, as a product: one sum over both loses a digit of float32, which
    is summed in one sweep, and where XLA knows that the weights are ones it would make one of two.
    """
    of_example = tf.reduce_sum(x, axis=[2, 3])
    return tf.matmul(weights[:, None, :], of_example)[:, :, None, None, :]


def _total_product(x: tf.Tensor, y: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The value of `_weighted_sum` of `x * y`.

    XLA writes down what it sums over positions: taken row by row, that is a row's size of it.
    """
    if not compiled_by_xla():
        return _total(x * y, weights)
    of_row = tf.add_n([x[:, :, row] * y[:, :, row] for row in range(x.shape[2])])
    of_example = tf.reduce_sum(of_row, axis=2)
    return tf.matmul(weights[:, None, :], of_example)[:, :, None, None, :]
