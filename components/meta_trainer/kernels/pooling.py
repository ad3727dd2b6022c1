"""The maximum of squares of 2 x 2 positions for XLA, with derivatives by hand.

As additions and maxima of four slices, which XLA fuses with what stands around them. TensorFlow's
gradient of `reduce_max` makes two sums over axes in the middle, each a pass of its own.
"""

import tensorflow as tf

from components.meta_trainer.kernels.shapes import shape_of


def max_pool(x: tf.Tensor) -> tf.Tensor:
    """`convolution.max_pool`; equal maxima of a square share its gradient, as in `reduce_max`."""
    episodes, examples, height, width, filters = shape_of(x)
    rows, columns = height // 2, width // 2
    margins = [[0, 0], [0, 0], [0, height - 2 * rows], [0, width - 2 * columns], [0, 0]]

    def corners(x: tf.Tensor) -> list[tf.Tensor]:
        x = x[:, :, : 2 * rows, : 2 * columns]
        squares = tf.reshape(x, [episodes, examples, rows, 2, columns, 2, filters])
        return [squares[:, :, :, row, :, column] for row in range(2) for column in range(2)]

    def spread(y: tf.Tensor) -> tf.Tensor:
        whole = [episodes, examples, rows, 2, columns, 2, filters]
        squares = tf.broadcast_to(y[:, :, :, None, :, None], whole)
        image = [episodes, examples, 2 * rows, 2 * columns, filters]
        return tf.pad(tf.reshape(squares, image), margins)

    @tf.custom_gradient
    def forward(x: tf.Tensor):
        a, b, c, d = corners(x)
        y = tf.maximum(tf.maximum(a, b), tf.maximum(c, d))

        # Constants for differentiation, computed again where they are needed: a loop keeps x and y.
        def largest_and_share() -> tuple[tf.Tensor, tf.Tensor]:
            largest = tf.cast(tf.equal(x, spread(y)), x.dtype)
            return largest, 1 / tf.add_n(corners(largest))

        # Linear, and each other's transpose.
        @tf.custom_gradient
        def to_largest(upstream: tf.Tensor):
            largest, share = largest_and_share()
            return largest * spread(share * upstream), from_largest

        @tf.custom_gradient
        def from_largest(image: tf.Tensor):
            largest, share = largest_and_share()
            return share * tf.add_n(corners(largest * image)), to_largest

        return y, to_largest

    return forward(x)
