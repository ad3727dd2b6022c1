"""Class prototypes: the mean features of each class of a support set."""

import tensorflow as tf


def class_means(features: tf.Tensor, y: tf.Tensor, ways: int | tf.Tensor) -> tf.Tensor:
    """The mean of each class's features, `[E, N, D]`; zero for a class without examples.

    Features are `[E, S, D]`, labels `y` `[E, S]` int32, -1 for padding; `ways` is N.
    """
    members = tf.one_hot(y, ways, dtype=features.dtype)
    sums = tf.matmul(members, features, transpose_a=True)
    return sums / tf.maximum(tf.reduce_sum(members, axis=1), 1)[..., None]


def count_ways(y: tf.Tensor) -> tf.Tensor:
    """N of a stack of support sets `[E, S]`: one more than the largest label."""
    return tf.reduce_max(y) + 1
