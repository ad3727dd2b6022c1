"""Convolution as a matrix product: cutting 3 x 3 patches out of images, and adding them back.

For XLA on CPUs, whose own convolutions are slow, and slower still with a kernel for each episode.
"""

from collections.abc import Iterator

import tensorflow as tf

from components.meta_trainer.backbones.shapes import KERNEL, shape_of


def convolution(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """3 x 3, SAME padding, as `task_ops.task_conv`."""
    patches = im2col(x, stride)
    episodes, examples, height, width, depth = shape_of(patches)
    filters = kernel.shape[-1]
    rows = tf.reshape(patches, [episodes, examples * height * width, depth])
    shared = kernel.shape.rank == 4
    flat = tf.reshape(kernel, [depth, filters] if shared else [episodes, depth, filters])
    return tf.reshape(tf.matmul(rows, flat), [episodes, examples, height, width, filters])


def im2col(x: tf.Tensor, stride: int) -> tf.Tensor:
    """The 3 x 3 neighbourhoods: `[E, B, H, W, C]` -> `[E, B, H', W', 9 C]`, SAME padding.

    Its gradient is `col2im`, and that one's is `im2col`: both are linear and each other's
    transpose, so that derivatives of any order cost one of the two.
    """
    size = (x.shape[2], x.shape[3])

    @tf.custom_gradient
    def forward(x: tf.Tensor):
        return _im2col(x, stride), backward

    @tf.custom_gradient
    def backward(patches: tf.Tensor):
        return _col2im(patches, stride, size), forward

    return forward(x)


def _im2col(x: tf.Tensor, stride: int) -> tf.Tensor:
    """Each of the nine taps is copied to where it lies inside the image; the rest stays zero.

    One pass, where padding, nine slices and a concatenation are three: meta-steps were 9% slower
    with those, and 4% with padding and nine updates.
    """
    episodes, examples, height, width, channels = shape_of(x)
    rows, columns = -(-height // stride), -(-width // stride)
    patches = tf.zeros([episodes, examples, rows, columns, KERNEL**2 * channels], x.dtype)
    for tap, (row_out, row_in), (column_out, column_in) in _taps(height, width, stride):
        patches = tf.raw_ops.TensorStridedSliceUpdate(
            input=patches,
            begin=[0, 0, row_out.start, column_out.start, tap * channels],
            end=[0, 0, row_out.stop, column_out.stop, (tap + 1) * channels],
            strides=[1] * 5,
            value=x[:, :, row_in, column_in],
            begin_mask=0b00011,  # all episodes, all examples
            end_mask=0b00011,
        )
    return patches


def _col2im(patches: tf.Tensor, stride: int, size: tuple[int, int]) -> tf.Tensor:
    """The transpose of `_im2col`: adds each patch back to where it came from."""
    episodes, examples, _, _, depth = shape_of(patches)
    channels = depth // KERNEL**2
    placed = [
        tf.raw_ops.StridedSliceGrad(
            shape=[episodes, examples, *size, channels],
            begin=[0, 0, row_in.start, column_in.start, 0],
            end=[0, 0, row_in.stop, column_in.stop, 0],
            strides=[1, 1, stride, stride, 1],
            dy=patches[:, :, row_out, column_out, tap * channels : (tap + 1) * channels],
            begin_mask=0b10011,  # all episodes, examples and channels
            end_mask=0b10011,
        )
        for tap, (row_out, row_in), (column_out, column_in) in _taps(*size, stride)
    ]
    return tf.add_n(placed)


Range = tuple[slice, slice]
"""Output positions, and the input positions that one tap reads for them."""


def _taps(height: int, width: int, stride: int) -> Iterator[tuple[int, Range, Range]]:
    """`(number, rows, columns)` of each of the nine taps that meets the image anywhere."""
    for row in range(KERNEL):
        for column in range(KERNEL):
            rows, columns = _inside(row, height, stride), _inside(column, width, stride)
            if rows and columns:
                yield KERNEL * row + column, rows, columns


def _inside(tap: int, size: int, stride: int) -> Range | None:
    """Where a tap (0 to 2, in one direction) meets the image and not its padding."""
    outputs = -(-size // stride)
    before = max((outputs - 1) * stride + KERNEL - size, 0) // 2  # TensorFlow's SAME padding
    shift = tap - before
    inside = [i for i in range(outputs) if 0 <= i * stride + shift < size]
    if not inside:
        return None
    first, last = inside[0], inside[-1]
    read = slice(first * stride + shift, last * stride + shift + 1, stride)
    return slice(first, last + 1), read
