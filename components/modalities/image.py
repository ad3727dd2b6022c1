"""Images: uint8 `[H, W, C]`, resized once, scaled to 0..1 inside the graph."""

import numpy as np
import tensorflow as tf

from components.modalities.base import ExampleSpec, Modality

MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
"""How png, jpg, gif and bmp files begin."""


def image_modality(spec: ExampleSpec) -> Modality:
    """The image modality of square uint8 images, grey or in colour."""
    size, channels = int(spec.shape[0] or 0), int(spec.shape[-1] or 0)
    shape = (size, size, channels)

    def prepare(images: tf.Tensor) -> tf.Tensor:
        scaled = tf.cast(images, tf.float32) / 255.0
        return 1.0 - scaled if spec.invert else scaled

    def decode(encoded: tf.Tensor, name: str) -> tf.Tensor:
        def decode_one(file: tf.Tensor) -> tf.Tensor:
            with tf.control_dependencies([_check_whole(file, name)]):
                image = decode_file(tf.identity(file))
            return standardise(image, size=size, channels=channels)

        def decode_or_pad(file: tf.Tensor) -> tf.Tensor:
            blank = tf.zeros(shape, tf.uint8)
            return tf.cond(tf.equal(file, ""), lambda: blank, lambda: decode_one(file))

        # The scope puts the input's name into what a decoder says of a damaged file.
        with tf.name_scope(name), tf.control_dependencies([_check_kinds(encoded, name)]):
            return tf.map_fn(
                decode_or_pad, encoded, fn_output_signature=tf.TensorSpec(shape, tf.uint8)
            )

    def raw_features(images: np.ndarray) -> np.ndarray:
        return np.reshape(images, (len(images), -1)).astype(np.float32) / 255.0

    return Modality(spec, shape, prepare, decode, raw_features)


def _check_kinds(encoded: tf.Tensor, name: str) -> tf.Operation:
    """Every string must be empty (padding) or begin as one of the formats does."""
    known = tf.equal(encoded, "")
    for magic in MAGIC:
        known |= tf.equal(_start(encoded, len(magic)), magic)
    unknown = tf.reduce_sum(tf.cast(~known, tf.int32))
    sentence = tf.strings.join(
        [
            f"`{name}` must hold png, jpg, gif or bmp files; got ",
            _number(unknown),
            " of another kind.",
        ]
    )
    return tf.debugging.Assert(tf.equal(unknown, 0), [sentence])


def _check_whole(encoded: tf.Tensor, name: str) -> tf.Operation:
    """A jpg or png file must hold its end; the decoders find it too, but name no input."""
    octets = tf.io.decode_raw(encoded, tf.uint8)

    def lacks(start: bytes, end: bytes) -> tf.Tensor:
        places = tf.shape(octets)[0] - len(end) + 1
        here = [tf.equal(octets[i : i + places], octet) for i, octet in enumerate(end)]
        begins = tf.equal(_start(encoded, len(start)), start)
        return begins & ~tf.reduce_any(tf.reduce_all(here, axis=0))

    cut = lacks(b"\xff\xd8\xff", b"\xff\xd9") | lacks(b"\x89PNG", b"IEND")
    sentence = f"`{name}` must hold whole image files; got one that ends too early."
    return tf.debugging.Assert(~cut, [sentence])


def decode_file(encoded: tf.Tensor) -> tf.Tensor:
    """One png, jpg, bmp or gif (its first frame) to `[h, w, c]` uint8, c of 1 or 3.

    Transparency is laid on white. Raises INVALID_ARGUMENT if the bytes are none of these.
    """
    return tf.cond(
        tf.equal(_start(encoded, 4), b"\x89PNG"),
        lambda: _lay_on_white(tf.io.decode_png(encoded, channels=4)),
        lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )


def _start(encoded: tf.Tensor, length: int) -> tf.Tensor:
    """The first bytes; substr() refuses strings shorter than asked for, hence the dots."""
    return tf.strings.substr(encoded + "....", 0, length)


def _number(count: tf.Tensor) -> tf.Tensor:
    return tf.strings.as_string(count)


def _lay_on_white(image: tf.Tensor) -> tf.Tensor:
    """`[h, w, 4]` uint8 with alpha to `[h, w, 3]` uint8."""
    colour, alpha = tf.cast(image[..., :3], tf.float32), tf.cast(image[..., 3:], tf.float32) / 255.0
    return tf.cast(tf.round(colour * alpha + 255.0 * (1.0 - alpha)), tf.uint8)


def standardise(images: tf.Tensor, *, size: int, channels: int) -> tf.Tensor:
    """Resizes (Lanczos, antialiased) and converts colours.

    Args:
      images: `[..., h, w, c]` uint8, c of 1 or 3, with at most one leading dimension.
      size: height and width of the result.
      channels: 1 or 3.

    Returns:
      `[..., size, size, channels]` uint8.
    """
    resized = tf.image.resize(
        tf.cast(images, tf.float32), (size, size), method="lanczos3", antialias=True
    )
    have = images.shape[-1]
    if channels == 1 and have != 1:
        # The luma of ITU-R BT.601, as in Pillow's convert("L").
        resized = tf.reduce_sum(resized * [0.299, 0.587, 0.114], axis=-1, keepdims=True)
    elif channels == 3 and have == 1:
        resized = tf.repeat(resized, 3, axis=-1)
    out = tf.cast(tf.clip_by_value(tf.round(resized), 0.0, 255.0), tf.uint8)
    out.set_shape([*images.shape[:-3], size, size, channels])
    return out
