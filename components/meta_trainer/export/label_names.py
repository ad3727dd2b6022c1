"""From class names to labels 0..N-1, inside the graph."""

import tensorflow as tf

_LAST = tf.int64.max


def label_indices(labels: tf.Tensor, ways: int | None) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Numbers the distinct names `[E, S]` of each episode, independently of their order.

    Classes are numbered by a hash of their names (stock TensorFlow cannot sort strings), so that
    the order of the support set does not matter. The empty string is padding. N, the number of
    names to return, is `ways`, or the largest number of classes of an episode if that is `None`.

    Returns:
      indices `[E, S]` int32, -1 for padding; class names `[E, N]`, padded with the empty string;
      the number of classes of each episode, `[E]` int32.
    """
    real = tf.not_equal(labels, "")
    keys = tf.where(real, tf.strings.to_hash_bucket_fast(labels, _LAST), _LAST)
    order = tf.argsort(keys, axis=1, stable=True)
    ordered = tf.gather(keys, order, batch_dims=1)
    before = tf.concat([tf.fill([tf.shape(keys)[0], 1], tf.int64.min), ordered[:, :-1]], axis=1)
    new_class = tf.cast((ordered != before) & (ordered != _LAST), tf.int32)
    rank_in_order = tf.cumsum(new_class, axis=1) - 1
    ranks = tf.gather(rank_in_order, tf.argsort(order, axis=1), batch_dims=1)
    indices = tf.where(real, ranks, -1)
    counts = tf.reduce_sum(new_class, axis=1)
    depth = tf.reduce_max(counts) if ways is None else ways
    # The position of each class's first example: rows of `ordered` where a new class begins.
    ranked = rank_in_order[:, :, None] == tf.range(depth)[None, None, :]
    starts = (new_class[:, :, None] == 1) & ranked
    place = tf.argmax(tf.cast(starts, tf.int32), axis=1)
    names = tf.gather(tf.gather(labels, order, batch_dims=1), place, batch_dims=1)
    names = tf.where(tf.range(depth)[None, :] < counts[:, None], names, "")
    return indices, names, counts
