"""The loss, the score and the metric of retrieval, and what it takes as right."""

import numpy as np
import tensorflow as tf

from components.modalities.phrases import phrase_vectors
from components.tasks.retrieval import recall, retrieval, share_right

PHRASES = tf.constant([["a cat", "the old house", "a cat", "good morning", ""]])
TASK = retrieval()


def test_padding_changes_neither_loss_nor_score():
    y = TASK.prepare_labels(PHRASES)
    outputs = tf.random.stateless_normal(y.shape, [1, 2])
    for function in (TASK.loss, TASK.score):
        padded, without = function(outputs, y, y), function(outputs[:, :4], y[:, :4], y)
        np.testing.assert_allclose(padded, without, rtol=1e-5)


def test_a_phrase_that_occurs_twice_is_right_in_both_places():
    y = TASK.prepare_labels(PHRASES[:, :4])
    assert TASK.score(5.0 * y, y, y).numpy() == [1.0]
    assert TASK.loss(5.0 * y, y, y).numpy()[0] < 1e-3
    swapped = tf.gather(y, [1, 0, 1, 3], axis=1)
    assert TASK.score(swapped, y, y).numpy() == [0.25]


def test_recall_counts_the_right_phrases_among_all_of_the_episode():
    phrases = PHRASES.numpy()
    targets = phrase_vectors(tf.constant([["a cat", "good morning", "a cat", "morning", "a"]]))
    assert recall(targets.numpy(), phrases) == [0.75]  # the last is padding
    assert recall(np.full_like(targets, np.nan), phrases)[0] < 0.5


def test_a_tie_is_shared_evenly():
    similarities = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert share_right(similarities, np.array([0, 2]), np.ones(2, bool)) == (1 / 2 + 1 / 3) / 2
