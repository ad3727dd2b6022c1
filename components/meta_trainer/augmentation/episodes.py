"""Permutes the labels of training episodes and regroups their examples.

All functions take a stack of episodes and a stateless seed, and are vectorised over episodes.
Shape letters: E episodes, S support examples, Q query examples, N ways.
"""

import tensorflow as tf

from components.episodes.types import Episodes


def permute_labels(episodes: Episodes, ways: int, seed: tf.Tensor) -> Episodes:
    """Renames the classes of each episode by a random permutation of 0..N-1; keeps padding."""
    count = tf.shape(episodes.support_y)[0]
    order = tf.argsort(tf.random.stateless_uniform([count, ways], seed), axis=1)

    def rename(y: tf.Tensor) -> tf.Tensor:
        return tf.where(y >= 0, tf.gather(order, tf.maximum(y, 0), batch_dims=1), y)

    return episodes._replace(support_y=rename(episodes.support_y), query_y=rename(episodes.query_y))


def regroup(episodes: Episodes, seed: tf.Tensor) -> Episodes:
    """Draws anew, within each class, which examples are support and which are query.

    Each set keeps its number of examples of every class, and no example is in both. An episode of
    targets or phrases is one class.
    """
    support_size = tf.shape(episodes.support_y)[1]
    x = _join(episodes.support_x, episodes.query_x)
    y = tf.concat([episodes.support_y, episodes.query_y], axis=1)
    classes = y if y.dtype.is_integer else tf.zeros(tf.shape(y)[:2], tf.int32)
    noise = tf.random.stateless_uniform(tf.shape(classes), seed, dtype=tf.float64)
    # Sorting by (class, noise) lists each class's examples in a random order; sorting by class
    # alone (stably) lists its places. The first are moved to the second.
    shuffled = tf.argsort(tf.cast(classes, tf.float64) + noise, axis=1)
    places = tf.argsort(classes, axis=1, stable=True)
    source = tf.gather(shuffled, tf.argsort(places, axis=1), batch_dims=1)
    x, y = tf.gather(x, source, batch_dims=1), tf.gather(y, source, batch_dims=1)
    return Episodes(
        x[:, :support_size], y[:, :support_size], x[:, support_size:], y[:, support_size:]
    )


def _join(support_x: tf.Tensor, query_x: tf.Tensor) -> tf.Tensor:
    """`[E, S + Q, ...]`; where the size of an example varies, zeros make the shorter longer."""
    if support_x.shape.rank == 3 and support_x.shape[2] is None:
        sizes = [tf.shape(x)[2] for x in (support_x, query_x)]
        support_x, query_x = (
            tf.pad(x, [[0, 0], [0, 0], [0, tf.maximum(*sizes) - size]])
            for x, size in zip((support_x, query_x), sizes)
        )
    return tf.concat([support_x, query_x], axis=1)
