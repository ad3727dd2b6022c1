"""Pictures as a pretrained network takes them: its size, its channels, its range of numbers."""

import tensorflow as tf

GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601, as the image modality


def as_pictures(
    images: tf.Tensor,
    *,
    size: tuple[int | None, int | None] = (None, None),
    channels: int | None = 3,
    dtype: tf.DType = tf.float32,
    limits: tuple[float, float] | None = None,
) -> tf.Tensor:
    """Images `[n, H, W, C]` uint8 for a network.

    Args:
      images: as stored; their colours are not inverted.
      size: height and width, to which they are resized; `None` for theirs.
      channels: 1, 3 or, for theirs, `None`.
      dtype: of the result.
      limits: the numbers for black and white; if `None` those usual for the dtype: 0 and 255 for
        integers, 0 and 1 for floats.
    """
    x = tf.cast(images, tf.float32)
    if channels == 3 and images.shape[-1] == 1:
        x = tf.repeat(x, 3, axis=-1)
    elif channels == 1 and images.shape[-1] == 3:
        x = tf.reduce_sum(x * GREY, axis=-1, keepdims=True)
    if None not in size and tuple(size) != tuple(images.shape[1:3]):
        x = tf.clip_by_value(tf.image.resize(x, size, method="bicubic", antialias=True), 0, 255)
    black, white = limits or ((0.0, 255.0) if dtype.is_integer else (0.0, 1.0))
    x = black + x * ((white - black) / 255.0)
    return tf.cast(tf.round(x) if dtype.is_integer else x, dtype)
