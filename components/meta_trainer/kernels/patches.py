"""Convolution as a matrix product: cutting 3 x 3 patches out of images, and adding them back.

For XLA on CPUs, whose own convolutions are slow, and slower still with a kernel for each episode.
"""

import collections
from collections.abc import Iterator

import tensorflow as tf

from components.meta_trainer.kernels.shapes import KERNEL, shape_of


def convolution(x: tf.Tensor, kernel: tf.Tensor, stride: int) -> tf.Tensor:
    """`convolution.task_conv`: 3 x 3 with SAME padding."""
    episodes, examples, height, width, channels = shape_of(x)
    depth, filters = KERNEL**2 * channels, kernel.shape[-1]
    shared = kernel.shape.rank == 4
    flat = tf.reshape(kernel, [depth, filters] if shared else [episodes, depth, filters])
    y = tf.matmul(im2col(x, stride), flat)
    return tf.reshape(y, [episodes, examples, -(-height // stride), -(-width // stride), filters])


def im2col(x: tf.Tensor, stride: int) -> tf.Tensor:
    """The 3 x 3 neighbourhoods: `[E, B, H, W, C]` -> `[E, B H' W', 9 C]`, SAME padding.

    Its gradient is `_col2im`, and the gradient of that is `_im2col`: both are linear and each
    other's transpose, so derivatives of any order cost one of the two.
    """
    like = shape_of(x)

    @tf.custom_gradient
    def forward(x: tf.Tensor):
        return _im2col(x, stride), backward

    @tf.custom_gradient
    def backward(patches: tf.Tensor):
        return _col2im(patches, stride, like), forward

    return forward(x)


def _im2col(x: tf.Tensor, stride: int) -> tf.Tensor:
    """The value of `im2col`, tap by tap, each with zeros where it lies outside the image.

    One pass over the patches in all: XLA updates them in place, as long as every update covers all
    positions and nothing is reshaped after the first. Meta-steps were 8% slower when each tap wrote
    only the positions inside the image and the patches were reshaped before the last.
    """
    episodes, examples, height, width, channels = shape_of(x)
    rows, columns = -(-height // stride), -(-width // stride)
    positions = examples * rows * columns
    patches = tf.zeros([episodes, positions, KERNEL**2 * channels], x.dtype)
    for tap, ((row_out, row_in), (column_out, column_in)) in _taps(height, width, stride):
        sides = (row_out, rows), (column_out, columns)
        margins = [[out.start, size - out.stop] for out, size in sides]
        value = tf.pad(x[:, :, row_in, column_in], [[0, 0], [0, 0], *margins, [0, 0]])
        patches = tf.raw_ops.TensorStridedSliceUpdate(
            input=patches,
            begin=[0, 0, tap * channels],
            end=[0, 0, (tap + 1) * channels],
            strides=[1] * 3,
            value=tf.reshape(value, [episodes, positions, channels]),
            begin_mask=0b011,  # all episodes, all positions
            end_mask=0b011,
        )
    return patches


def _col2im(patches: tf.Tensor, stride: int, shape: list) -> tf.Tensor:
    """The transpose of `_im2col`: adds each patch to its positions of an image of `shape`.

    Positions that are equal modulo the stride form a grid, to which few taps add; the grids are
    interleaved at the end. Meta-steps were 6% slower with all nine taps added to the whole image.
    """
    episodes, examples, height, width, channels = shape
    rows, columns = -(-height // stride), -(-width // stride)
    patches = tf.reshape(patches, [episodes, examples, rows, columns, -1])
    grids: dict[tuple[int, int], list[tf.Tensor]] = collections.defaultdict(list)
    for tap, ((row_out, row_in), (column_out, column_in)) in _taps(height, width, stride):
        part = patches[:, :, row_out, column_out, tap * channels : (tap + 1) * channels]
        margins = [_margins(row_in, stride, rows), _margins(column_in, stride, columns)]
        padded = tf.pad(part, [[0, 0], [0, 0], *margins, [0, 0]])
        grids[row_in.start % stride, column_in.start % stride].append(padded)
    # A grid that no tap reads lies outside the image, as one of a single row does.
    nothing = [tf.zeros([episodes, examples, rows, columns, channels], patches.dtype)]
    lines = [
        tf.stack([tf.add_n(grids[row, column] or nothing) for column in range(stride)], axis=4)
        for row in range(stride)
    ]
    whole = [episodes, examples, rows * stride, columns * stride, channels]
    return tf.reshape(tf.stack(lines, axis=3), whole)[:, :, :height, :width]


def _margins(read: slice, stride: int, size: int) -> list[int]:
    """Numbers of positions of a grid before and after those that a tap reads."""
    first = read.start // stride
    return [first, size - first - len(range(read.start, read.stop, stride))]


Range = tuple[slice, slice]
"""Output positions, and the input positions that one tap reads for them."""


def _taps(height: int, width: int, stride: int) -> Iterator[tuple[int, tuple[Range, Range]]]:
    """`number, (rows, columns)` of each of the nine taps that overlaps the image."""
    for row in range(KERNEL):
        for column in range(KERNEL):
            rows, columns = _inside(row, height, stride), _inside(column, width, stride)
            if rows and columns:
                yield KERNEL * row + column, (rows, columns)


def _inside(tap: int, size: int, stride: int) -> Range | None:
    """The range in which a tap (0 to 2, in one direction) reads the image, not its padding."""
    outputs = -(-size // stride)
    before = max((outputs - 1) * stride + KERNEL - size, 0) // 2  # TensorFlow's SAME padding
    shift = tap - before
    inside = [i for i in range(outputs) if 0 <= i * stride + shift < size]
    if not inside:
        return None
    first, last = inside[0], inside[-1]
    read = slice(first * stride + shift, last * stride + shift + 1, stride)
    return slice(first, last + 1), read
