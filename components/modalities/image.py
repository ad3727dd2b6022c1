"""Images: uint8 `[H, W, C]`, resized once, scaled to 0..1 inside the graph."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from components.modalities.base import ExampleSpec, Modality
from components.modalities.picture_files import (
    PLAIN_PNG,
    decode_picture,
    decode_plain_png,
    read_kinds,
)
from components.modalities.places import place_of


def image_modality(spec: ExampleSpec) -> Modality:
    """The image modality of square uint8 images, grey or in colour."""
    size, channels = int(spec.shape[0] or 0), int(spec.shape[-1] or 0)
    shape = (size, size, channels)

    def prepare(images: tf.Tensor) -> tf.Tensor:
        scaled = tf.cast(images, tf.float32) / 255.0
        return 1.0 - scaled if spec.invert else scaled

    def decode(encoded: tf.Tensor, name: str, numbers: tf.Tensor) -> tf.Tensor:
        def each(decode_one: Callable[..., tf.Tensor]) -> tf.Tensor:
            return tf.map_fn(
                lambda file: standardise(decode_one(*file), size=size, channels=channels),
                (encoded, kinds, numbers),
                parallel_iterations=4,  # each may hold a picture of `max_pixels`
                fn_output_signature=tf.TensorSpec(shape, tf.uint8),
            )

        def of_any_kind(content: tf.Tensor, kind: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
            return decode_picture(content, kind, place_of("file", number, name), spec.max_pixels)

        def plain(content: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
            return decode_plain_png(content)

        # The scope puts the input's name into what a decoder says of a damaged file.
        with tf.name_scope(name):
            kinds = read_kinds(encoded, name, numbers, spec.max_pixels)
            # To choose a decoder for each file takes as long as to decode a small one.
            all_plain = tf.reduce_all(kinds == PLAIN_PNG)
            return tf.cond(all_plain, lambda: each(plain), lambda: each(of_any_kind))

    def raw_features(images: np.ndarray) -> np.ndarray:
        return np.reshape(images, (len(images), -1)).astype(np.float32) / 255.0

    return Modality(spec, shape, prepare, decode, raw_features)


def standardise(images: tf.Tensor, *, size: int, channels: int) -> tf.Tensor:
    """Resizes (Lanczos, antialiased) and converts colours.

    `[..., h, w, 1 or 3]` uint8 with at most one leading dimension -> `[..., size, size, channels]`.
    """
    # Not cast before: bytes give the same numbers, in a third of the memory of a large picture.
    resized = tf.image.resize(images, (size, size), method="lanczos3", antialias=True)
    have = images.shape[-1]
    if channels == 1 and have != 1:
        # The luma of ITU-R BT.601, as in Pillow's convert("L").
        resized = tf.reduce_sum(resized * [0.299, 0.587, 0.114], axis=-1, keepdims=True)
    elif channels == 3 and have == 1:
        resized = tf.repeat(resized, 3, axis=-1)
    out = tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)
    out.set_shape([*images.shape[:-3], size, size, channels])
    return out
