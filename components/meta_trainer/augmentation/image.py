"""Augmentation of images."""

import tensorflow as tf

from components.episodes.types import Episodes


def rotate_classes(episodes: Episodes, ways: int, seed: tf.Tensor) -> Episodes:
    """Rotates the images of each class of each episode by a random multiple of 90 degrees.

    Square images `[E, B, H, H, C]`. A rotated character is another character (Finn et al. 2017,
    section 5.2), so this multiplies the classes by four.
    """
    places = _places(episodes.support_x)
    transposed = tf.transpose(places)
    rotations = [places, transposed[::-1], places[::-1, ::-1], transposed[:, ::-1]]
    return _rearrange_classes(episodes, rotations, ways, seed)


def mirror_classes(episodes: Episodes, ways: int, seed: tf.Tensor) -> Episodes:
    """Mirrors the images of each class of each episode with probability 1/2.

    `[E, B, H, W, C]`. With rotations this multiplies the classes by eight.
    """
    places = _places(episodes.support_x)
    return _rearrange_classes(episodes, [places, places[:, ::-1]], ways, seed)


def _places(x: tf.Tensor) -> tf.Tensor:
    """`[H, W]`: the number of each pixel's place in an image of `[E, B, H, W, C]`."""
    height, width = tf.unstack(tf.shape(x)[2:4])
    return tf.reshape(tf.range(height * width), [height, width])


def _rearrange_classes(
    episodes: Episodes, arrangements: list[tf.Tensor], ways: int, seed: tf.Tensor
) -> Episodes:
    """Gives the images of each class of each episode one of the arrangements, at random.

    One gather of pixels: ten times as fast as making every arrangement of all images and choosing.
    An arrangement is `[H, W]`: for each place of the new image, that in the old one.
    """
    count = tf.shape(episodes.support_y)[0]
    many = len(arrangements)
    choices = tf.random.stateless_uniform([count, ways], seed, maxval=many, dtype=tf.int32)
    places = tf.reshape(tf.stack(arrangements), [many, -1])

    def rearrange(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        of_image = tf.reshape(tf.gather(choices, tf.maximum(y, 0), batch_dims=1), [-1])
        pixels = tf.reshape(x, [-1, tf.shape(x)[-1]])
        first_of_image = tf.range(tf.size(of_image)) * tf.shape(places)[1]
        moved = tf.gather(pixels, tf.gather(places, of_image) + first_of_image[:, None])
        return tf.ensure_shape(tf.reshape(moved, tf.shape(x)), x.shape)

    return episodes._replace(
        support_x=rearrange(episodes.support_x, episodes.support_y),
        query_x=rearrange(episodes.query_x, episodes.query_y),
    )


def transform_classes(
    episodes: Episodes, max_change: float, ways: int, seed: tf.Tensor
) -> Episodes:
    """Stretches and shears images about their middle by random linear maps.

    The pixel at place p of the new image is that at (I + C + D) p of the old one. C differs from
    class to class of an episode, with entries in -max_change..max_change, and makes another class
    of it; D differs from image to image, half as large, as handwriting does. Pixels from outside
    repeat the edge.
    """
    count = tf.shape(episodes.support_x)[0]
    of_class = tf.random.stateless_uniform([count, ways, 2, 2], seed, -max_change, max_change)

    def transform(x: tf.Tensor, y: tf.Tensor, offset: int) -> tf.Tensor:
        shape = tf.shape(x)
        sizes, half = [shape[0], shape[1], 2, 2], max_change / 2
        own = tf.random.stateless_uniform(sizes, seed + offset, -half, half)
        maps = tf.eye(2) + tf.gather(of_class, tf.maximum(y, 0), batch_dims=1) + own
        middle = (tf.cast(shape[2:4][::-1], tf.float32) - 1.0) / 2.0
        shift = middle - tf.linalg.matvec(maps, middle)
        rows = tf.concat([maps, shift[..., None]], axis=-1)
        flat = tf.reshape(rows, [-1, 6])
        moved = tf.raw_ops.ImageProjectiveTransformV3(
            images=tf.reshape(x, tf.concat([[-1], shape[2:]], axis=0)),
            transforms=tf.pad(flat, [[0, 0], [0, 2]]),
            output_shape=shape[2:4],
            interpolation="BILINEAR",
            fill_mode="NEAREST",
            fill_value=0.0,
        )
        return tf.reshape(moved, shape)

    return episodes._replace(
        support_x=transform(episodes.support_x, episodes.support_y, 1),
        query_x=transform(episodes.query_x, episodes.query_y, 2),
    )
