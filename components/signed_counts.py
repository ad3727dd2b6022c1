"""Counts of hashed tokens in a fixed number of numbers, each token with a sign.

The product of two such vectors is close to that of the full counts.

Reference: Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning",
arXiv 0902.2206.
"""

import tensorflow as tf

SIZE = 8192
"""Numbers in a vector, such as that of a phrase."""
WORDS = 2048
"""So many of the first count words, the others parts of words: a token's number says which."""


def signed_counts(tokens: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Adds up the weights of tokens, `[n, L]` both, in `SIZE` numbers: `[n, SIZE]` of length 1."""
    sign = tf.where((tokens // SIZE) % 2 > 0, 1.0, -1.0) * tf.cast(tokens > 0, tf.float32)
    count = tf.shape(tokens)[0]
    places = tokens % SIZE + SIZE * tf.range(count)[:, None]
    values = tf.reshape(sign * weights, [-1])
    sums = tf.math.unsorted_segment_sum(values, tf.reshape(places, [-1]), count * SIZE)
    return tf.math.l2_normalize(tf.reshape(sums, [count, SIZE]), axis=-1, epsilon=1e-9)
