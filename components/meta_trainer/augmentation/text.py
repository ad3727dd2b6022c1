"""Augmentation of texts."""

import tensorflow as tf

from components.episodes.types import Episodes


def drop_words(episodes: Episodes, share: float, seed: tf.Tensor) -> Episodes:
    """Leaves out each word with probability `share` < 1; a text keeps its first word at least."""

    def drop(x: tf.Tensor, offset: int) -> tf.Tensor:
        words = tf.strings.split(tf.reshape(x, [-1]))
        noise = tf.random.stateless_uniform([tf.size(words.flat_values)], seed + offset)
        first = tf.ragged.range(words.row_lengths()).flat_values == 0
        kept = tf.ragged.boolean_mask(words, words.with_flat_values(first | (noise >= share)))
        return tf.reshape(tf.strings.reduce_join(kept, axis=1, separator=" "), tf.shape(x))

    support_x, query_x = drop(episodes.support_x, 0), drop(episodes.query_x, 1)
    return episodes._replace(support_x=support_x, query_x=query_x)
