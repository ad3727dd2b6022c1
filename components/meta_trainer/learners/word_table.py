"""A table of translations between words, fitted to the pairs of an episode: IBM Model 1, both ways.

    t(j | i) <- sum_s c_s(i, j) / sum_j' sum_s c_s(i, j'),
    c_s(i, j) = t(j | i) / sum_i' t(j | i')   for i, i' in the text and j in the phrase of pair s
    T_ij = sqrt(t(j | i) t(i | j)) log((1 + S) / (1 + n_j))

A text has one more word that stands for nothing; n_j is the number of phrases with word j. The
answer to a query is the sum of the rows of its words. Words are columns of signed counts
(`components/signed_counts.py`); one is there where it has the sign that it has in most examples.
Nothing of it is learned but from the pairs.

Reference: Brown, Della Pietra, Della Pietra, Mercer 1993, "The Mathematics of Statistical Machine
Translation: Parameter Estimation", Computational Linguistics 19(2), section 4.
"""

from typing import Any

import tensorflow as tf

from components.meta_trainer.types import Weights

STEPS = 5  # of expectation maximisation
ROOM, ROOM_OF_PAIR = 32, 8  # words that a table holds: for any episode, and more for each pair


def fit_table(x: tf.Tensor, y: tf.Tensor, is_example: tf.Tensor) -> dict[str, Any]:
    """The table of texts `[E, S, W]` and phrases `[E, S, W]`, signed counts of words.

    `is_example` is `[E, S]`, 0 for padding. Where there are more words than it holds, the rarest
    are left out.
    """
    texts, of_texts, text_signs = _most_frequent(x, is_example)
    phrases, of_phrases, phrase_signs = _most_frequent(y, is_example)
    there = is_example[..., None]
    forward = _translations(tf.concat([texts, there], axis=-1), phrases)[:, :-1]
    backward = _translations(tf.concat([phrases, there], axis=-1), texts)[:, :-1]
    count = tf.reduce_sum(is_example, axis=1, keepdims=True)
    rarity = tf.math.log((1 + count) / (1 + tf.reduce_sum(phrases, axis=1))) * phrase_signs
    table = tf.sqrt(forward * tf.transpose(backward, [0, 2, 1])) * rarity[:, None]
    return {"table": table, "texts": of_texts, "signs": text_signs, "phrases": of_phrases}


def translate(fitted: Weights, query_x: tf.Tensor) -> tf.Tensor:
    """Signed counts of the phrase's words, `[E, Q, W]` of the text's, `[E, Q, W]`."""
    signed = tf.gather(query_x, fitted["texts"], axis=2, batch_dims=1) * fitted["signs"][:, None]
    found = tf.matmul(tf.cast(signed > 0, tf.float32), fitted["table"])
    return tf.matmul(found, tf.one_hot(fitted["phrases"], query_x.shape[-1]))


def _most_frequent(
    counts: tf.Tensor, is_example: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Which words each example has, `[E, S, V]` of 0 and 1, of the V most frequent columns.

    Also their numbers and their signs, both `[E, V]`.
    """
    counts *= is_example[..., None]
    columns = counts.shape[-1]
    room = tf.minimum(columns, ROOM + ROOM_OF_PAIR * tf.shape(counts)[1])
    _, numbers = tf.math.top_k(tf.math.count_nonzero(counts, axis=1, dtype=tf.int32), room)
    chosen = tf.gather(counts, numbers, axis=2, batch_dims=1)
    signs = tf.sign(tf.reduce_sum(tf.sign(chosen), axis=1))
    # Padding must not make room for more words.
    pairs = tf.cast(tf.reduce_sum(is_example, axis=1, keepdims=True), tf.int32)
    signs *= tf.cast(tf.range(room)[None] < ROOM + ROOM_OF_PAIR * pairs, tf.float32)
    return tf.cast(chosen * signs[:, None] > 0, tf.float32), numbers, signs


def _translations(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """t(j | i) `[E, I, J]` of which words the pairs have, `[E, S, I]` and `[E, S, J]`."""
    together = tf.matmul(x, y, transpose_a=True)
    table = _rows(tf.cast(together > 0, tf.float32))
    for _ in range(STEPS):
        expected = tf.math.divide_no_nan(y, tf.matmul(x, table))
        table = _rows(table * tf.matmul(x, expected, transpose_a=True))
    return table


def _rows(counts: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(counts, tf.reduce_sum(counts, axis=-1, keepdims=True))
