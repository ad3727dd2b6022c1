"""Augmentation of recordings."""

import tensorflow as tf

from components.episodes.types import Episodes


def change_speed(episodes: Episodes, max_change: float, seed: tf.Tensor) -> Episodes:
    """Plays each episode faster or slower, by a factor of its own for all of its recordings.

    Pitch and formants move along, as from one speaker to another: a few speakers in the data become
    many (Jaitly and Hinton 2013, "Vocal Tract Length Perturbation"; Ko et al. 2015, "Audio
    Augmentation for Speech Recognition", section 2). Recordings are `[E, S, T]` and `[E, Q, T]`
    float32, zeros after their end; factors are uniform in 1 - max_change to 1 + max_change, with
    `max_change` below 1.
    """
    count = tf.shape(episodes.support_x)[0]
    factors = tf.random.stateless_uniform([count, 1], seed, 1.0 - max_change, 1.0 + max_change)

    def play(x: tf.Tensor) -> tf.Tensor:
        size = tf.shape(x)[2]
        length = tf.cast(tf.math.ceil(tf.cast(size, tf.float32) / (1.0 - max_change)), tf.int32)
        places = tf.range(tf.cast(length, tf.float32))[None, :] * factors
        before = tf.floor(places)
        share = (places - before)[:, None, :]
        # Beyond the end of the recording there is silence.
        left = tf.minimum(tf.cast(before, tf.int32), size)
        right = tf.minimum(left + 1, size)
        padded = tf.pad(x, [[0, 0], [0, 0], [0, 1]])
        return (1.0 - share) * tf.gather(padded, left, axis=2, batch_dims=1) + share * tf.gather(
            padded, right, axis=2, batch_dims=1
        )

    return episodes._replace(support_x=play(episodes.support_x), query_x=play(episodes.query_x))
