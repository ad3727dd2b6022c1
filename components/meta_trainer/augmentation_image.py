"""Varying the images of training episodes beyond quarter turns; see `augmentation.py`."""

import tensorflow as tf

from components.meta_trainer.types import Episodes


def mirror_classes(episodes: Episodes, ways: int, seed: tf.Tensor) -> Episodes:
    """Mirrors the images of each class of each episode with probability 1/2.

    `[E, B, H, W, C]`. With quarter turns this multiplies the classes by eight.
    """
    count = tf.shape(episodes.support_x)[0]
    mirrored = tf.random.stateless_uniform([count, ways], seed) < 0.5

    def mirror(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        of_example = tf.gather(mirrored, tf.maximum(y, 0), batch_dims=1)
        return tf.where(of_example[:, :, None, None, None], x[:, :, :, ::-1], x)

    return episodes._replace(
        support_x=mirror(episodes.support_x, episodes.support_y),
        query_x=mirror(episodes.query_x, episodes.query_y),
    )


def warp(episodes: Episodes, most: float, ways: int, seed: tf.Tensor) -> Episodes:
    """Stretches and shears images about their middle by random linear maps.

    A place p of the new image shows the place (I + C + D) p of the old one: C is drawn for each
    class of an episode, with numbers in -most..most, and makes another class of it; D for each
    image, half as large, and is how hands differ. What comes from outside repeats the edge.
    """
    count = tf.shape(episodes.support_x)[0]
    of_class = tf.random.stateless_uniform([count, ways, 2, 2], seed, -most, most)

    def bend(x: tf.Tensor, y: tf.Tensor, offset: int) -> tf.Tensor:
        shape = tf.shape(x)
        own = tf.random.stateless_uniform(
            [shape[0], shape[1], 2, 2], seed + offset, -most / 2, most / 2
        )
        maps = tf.eye(2) + tf.gather(of_class, tf.maximum(y, 0), batch_dims=1) + own
        middle = (tf.cast(shape[2:4][::-1], tf.float32) - 1.0) / 2.0
        shift = middle - tf.linalg.matvec(maps, middle)
        rows = tf.concat([maps, shift[..., None]], axis=-1)
        flat = tf.reshape(rows, [-1, 6])
        bent = tf.raw_ops.ImageProjectiveTransformV3(
            images=tf.reshape(x, tf.concat([[-1], shape[2:]], axis=0)),
            transforms=tf.pad(flat, [[0, 0], [0, 2]]),
            output_shape=shape[2:4],
            interpolation="BILINEAR",
            fill_mode="NEAREST",
            fill_value=0.0,
        )
        return tf.reshape(bent, shape)

    return episodes._replace(
        support_x=bend(episodes.support_x, episodes.support_y, 1),
        query_x=bend(episodes.query_x, episodes.query_y, 2),
    )
