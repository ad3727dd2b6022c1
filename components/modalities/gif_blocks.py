"""The blocks of a GIF file, walked inside the graph.

References: GIF89a, sections 15 to 26.
"""

from typing import NamedTuple

import tensorflow as tf

_EXTENSION, _CONTROL, _IMAGE, _TRAILER = 0x21, 0xF9, 0x2C, 0x3B


class Frames(NamedTuple):
    """What the blocks say, all scalars."""

    pixels: tf.Tensor  # int64, of all frames together
    transparent: tf.Tensor  # whether the first frame has a transparent colour
    whole: tf.Tensor  # whether the first frame fills the picture


def walk(octets: tf.Tensor) -> Frames:
    """Walks from the header to the trailer of a file, uint8 `[n]`."""
    file = tf.cast(tf.pad(octets, [[0, 32]]), tf.int32)
    end = tf.size(octets)

    def table_size(flags: tf.Tensor) -> tf.Tensor:
        """Octets of a colour table, which bit 7 announces and bits 0 to 2 measure."""
        size = 3 * tf.bitwise.left_shift(2, flags & 7)
        return tf.where(flags & 0x80 > 0, size, 0)

    def step(place, pixels, inside, transparent, whole):
        kind, size = file[place], file[place]
        is_control = (kind == _EXTENSION) & (file[place + 1] == _CONTROL)
        is_image = kind == _IMAGE
        first = is_image & (pixels == 0)
        after_image = 10 + table_size(file[place + 9]) + 1
        length = tf.where(is_image, after_image, tf.where(kind == _EXTENSION, 2, end))
        now_transparent = tf.where(is_control & (pixels == 0), file[place + 3] & 1 > 0, transparent)
        sides = tf.cast(
            file[place + 5 : place + 9 : 2] + 256 * file[place + 6 : place + 10 : 2], tf.int64
        )
        fills = tf.reduce_all(file[place + 1 : place + 5] == 0) & tf.reduce_all(
            file[place + 5 : place + 9] == file[6:10]
        )
        return (
            place + tf.where(inside, size + 1, length),
            pixels + tf.where(~inside & is_image, tf.reduce_prod(sides), 0),
            tf.where(inside, size > 0, (kind == _EXTENSION) | is_image),
            tf.where(inside, transparent, now_transparent),
            tf.where(~inside & first, fills, whole),
        )

    flags = [tf.constant(False) for _ in range(3)]
    state = (13 + table_size(file[10]), tf.constant(0, tf.int64), *flags)
    _, pixels, _, transparent, whole = tf.while_loop(lambda place, *_: place < end, step, state)
    return Frames(pixels, transparent, whole)
