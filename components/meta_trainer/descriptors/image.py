"""Descriptors of images: pixels, where edges point, what waves and which colours there are.

Reference: Dalal and Triggs 2005, "Histograms of Oriented Gradients for Human Detection":
unsigned directions, votes shared by neighbouring bins, blocks of 2 x 2 cells (L2-Hys).
"""

import math

import numpy as np
import tensorflow as tf

BINS = 9  # directions of an edge, over half a turn
CELLS = 6  # cells along a side, about
MAX_SIDE = 32  # for edges, images are averaged down to less than twice this side
PIXEL_SIDE = 16  # for pixels, to less than twice this one
COLOUR_LEVELS = 4  # of each channel


def image_descriptors(x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Descriptors of images `[E, B, H, W, C]` in 0..1, each `[E, B, d]`; colours where C is 3."""
    images = tf.reshape(x, [-1, *x.shape[2:]])
    described = {"pixels": _average(images, PIXEL_SIDE), "edges": edges(images)}
    described["waves"] = waves(images)
    if x.shape[-1] == 3:
        described["colours"] = colours(images)
    lead = tf.shape(x)[:2]
    return {
        name: tf.reshape(values, tf.concat([lead, [values[0].shape.num_elements()]], axis=0))
        for name, values in described.items()
    }


def edges(images: tf.Tensor) -> tf.Tensor:
    """Histograms of oriented gradients of images `[n, H, W, C]`: `[n, rows, columns, 4 BINS]`."""
    pixels = _average(images, MAX_SIDE)
    down, right = _slopes(pixels, 1), _slopes(pixels, 2)
    if pixels.shape[-1] > 1:  # of the channel where the edge is strongest
        strongest = tf.one_hot(
            tf.argmax(tf.square(down) + tf.square(right), axis=-1), pixels.shape[-1]
        )
        down = tf.reduce_sum(strongest * down, axis=-1, keepdims=True)
        right = tf.reduce_sum(strongest * right, axis=-1, keepdims=True)
    place = tf.math.floormod(tf.atan2(down, right) * (BINS / math.pi), BINS)
    length = tf.sqrt(tf.square(down) + tf.square(right))
    distance = tf.abs(place - tf.range(BINS, dtype=tf.float32))
    shares = tf.nn.relu(1.0 - tf.minimum(distance, BINS - distance))
    cells = _cell_sums(length * shares)
    rows, columns = cells.shape[1] - 1, cells.shape[2] - 1
    blocks = [cells[:, y : y + rows, x : x + columns] for y in (0, 1) for x in (0, 1)]
    return _unit(tf.minimum(_unit(tf.concat(blocks, axis=-1)), 0.2))


def waves(images: tf.Tensor) -> tf.Tensor:
    """Roots of the amplitudes of waves, `[n, rows, columns // 2 + 1]`: a texture, wherever it is.

    They are those of the discrete Fourier transform of the grey image, under a Hann window. As
    products of matrices, which XLA compiles as well as anything.
    """
    grey = tf.reduce_mean(_average(images, MAX_SIDE), axis=-1)
    grey -= tf.reduce_mean(grey, axis=[1, 2], keepdims=True)
    rows, columns = grey.shape[1], grey.shape[2]
    grey *= np.outer(np.hanning(rows), np.hanning(columns)).astype(np.float32)
    cosine, sine = _fourier(rows, rows)
    right_cosine, right_sine = _fourier(columns, columns // 2 + 1)
    by_cosine, by_sine = grey @ right_cosine, grey @ right_sine
    real = cosine @ by_cosine - sine @ by_sine
    imaginary = cosine @ by_sine + sine @ by_cosine
    return tf.pow(tf.square(real) + tf.square(imaginary) + 1e-12, 0.25)


def _fourier(size: int, frequencies: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines `[size, frequencies]` of whole waves over `size` pixels."""
    angles = 2 * np.pi / size * np.outer(np.arange(size), np.arange(frequencies))
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def colours(images: tf.Tensor) -> tf.Tensor:
    """The root of the share of pixels of each of 4 x 4 x 4 colours: `[n, 64]` (Hellinger)."""
    levels = tf.cast(images * (255.0 * COLOUR_LEVELS / 256.0), tf.int32)
    is_level = tf.one_hot(levels, COLOUR_LEVELS)
    counts = tf.einsum(
        "nhwa,nhwb,nhwc->nabc", is_level[..., 0, :], is_level[..., 1, :], is_level[..., 2, :]
    )
    return tf.sqrt(counts / (images.shape[1] * images.shape[2]))


def _average(images: tf.Tensor, side: int) -> tf.Tensor:
    """Averages squares of pixels, so that a side is below twice `side`."""
    _, height, width, channels = images.shape
    factor = max(1, min(height, width) // side)
    rows, columns = height // factor, width // factor
    whole = images[:, : rows * factor, : columns * factor]
    squares = tf.reshape(whole, [-1, rows, factor, columns, factor, channels])
    return tf.reduce_mean(squares, axis=[2, 4])


def _slopes(pixels: tf.Tensor, axis: int) -> tf.Tensor:
    """Central differences along an axis, one-sided at the borders."""
    size = pixels.shape[axis]
    before = tf.gather(pixels, [0, *range(size - 1)], axis=axis)
    after = tf.gather(pixels, [*range(1, size), size - 1], axis=axis)
    steps = tf.constant([1.0, *[2.0] * (size - 2), 1.0])
    return (after - before) / tf.reshape(steps, [-1] + [1] * (3 - axis))


def _cell_sums(votes: tf.Tensor) -> tf.Tensor:
    """Sums the votes `[n, H, W, BINS]` in each cell: `[n, rows, columns, BINS]`."""
    _, height, width, bins = votes.shape
    side = max(2, min(height, width) // CELLS)
    rows, columns = height // side, width // side
    inside = votes[:, : rows * side, : columns * side]
    return tf.reduce_sum(tf.reshape(inside, [-1, rows, side, columns, side, bins]), axis=[2, 4])


def _unit(vectors: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-12)
