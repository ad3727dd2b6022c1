"""The table of words, compared with IBM Model 1 as a dictionary of Python, and padding."""

from collections import defaultdict
from math import log, sqrt

import numpy as np
import tensorflow as tf

from components.meta_trainer.learners.word_table import STEPS, fit_table, translate

WORDS = 12
TEXTS = [{0, 1}, {1, 2, 3}, {0, 3}, {4}, {1, 4}]
PHRASES = [{5, 6}, {6, 7}, {5, 8}, {9}, {6, 9, 10}]


def test_it_is_ibm_model_1_in_both_directions():
    forward, backward = _model_1(TEXTS, PHRASES), _model_1(PHRASES, TEXTS)
    expected = np.zeros(WORDS)
    for i in (1, 3):
        for j in range(5, 11):
            rarity = log((1 + len(TEXTS)) / (1 + sum(j in phrase for phrase in PHRASES)))
            expected[j] += sqrt(forward[i, j] * backward[j, i]) * rarity
    fitted = fit_table(_signed(TEXTS), _signed(PHRASES), tf.ones([1, len(TEXTS)]))
    answer = translate(fitted, _signed([{1, 3, 11}, set()]))[0].numpy()
    np.testing.assert_allclose(answer[0], expected * SIGNS, rtol=1e-4, atol=1e-6)
    assert not answer[1].any()


def test_padding_changes_no_answer_and_an_episode_of_padding_has_none():
    x, y = _signed([*TEXTS, set(), set()]), _signed([*PHRASES, set(), set()])
    query_x = _signed([{0, 4}])
    padded = fit_table(x, y, tf.constant([[1.0] * 5 + [0, 0]]))
    alone = fit_table(x[:, :5], y[:, :5], tf.ones([1, 5]))
    np.testing.assert_allclose(translate(padded, query_x), translate(alone, query_x), rtol=1e-5)
    empty = fit_table(x[:, 5:], y[:, 5:], tf.zeros([1, 2]))
    assert not translate(empty, query_x).numpy().any()


def test_a_column_of_another_sign_is_another_word():
    fitted = fit_table(_signed(TEXTS), _signed(PHRASES), tf.ones([1, len(TEXTS)]))
    assert not translate(fitted, -_signed([{0, 4}])).numpy().any()


SIGNS = np.where(np.arange(WORDS) % 3 == 0, -1.0, 1.0)


def _signed(words: list[set[int]]) -> tf.Tensor:
    rows = np.array([[float(word in row) for word in range(WORDS)] for row in words])
    return tf.constant((0.3 * rows * SIGNS)[None], tf.float32)


def _model_1(texts, phrases):
    """t(j | i) by words; -1 is the word that stands for nothing."""
    table = defaultdict(float)
    pairs = [({*text, -1}, phrase) for text, phrase in zip(texts, phrases)]
    for text, phrase in pairs:
        table.update({(i, j): 1.0 for i in text for j in phrase})
    for step in range(STEPS + 1):
        if step:
            counts = defaultdict(float)
            for text, phrase in pairs:
                for j in phrase:
                    total = sum(table[i, j] for i in text)
                    for i in text:
                        counts[i, j] += table[i, j] / total
            table = counts
        of_word = defaultdict(float)
        for (i, _), value in table.items():
            of_word[i] += value
        table = defaultdict(float, {(i, j): v / of_word[i] for (i, j), v in table.items()})
    return table
