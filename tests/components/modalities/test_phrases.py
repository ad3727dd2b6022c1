"""Texts in Latin letters, and vectors of phrases without weights."""

import numpy as np
import pytest
import tensorflow as tf

from components.modalities.phrases import MAX_TOKENS, phrase_tokens, phrase_vectors, to_latin
from components.signed_counts import SIZE, WORDS


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("Том говорит", "tom govorit"),
        ("Τομ μιλάει", "tom milaei"),
        ("ტომი", "tomi"),
        ("तॉम", "tom"),
        ("トム", "tomu"),
        ("תום", "tvm"),
        ("Ça va, ßıøæ?", "ca va, sioae?"),
        ("中文 3", "中文 3"),
    ],
)
def test_letters_of_other_scripts_become_latin(text, latin):
    assert to_latin(tf.constant([text])).numpy()[0].decode() == latin


def test_phrases_that_share_words_have_vectors_that_are_close():
    vectors = phrase_vectors(tf.constant([["Tom speaks French.", "tom speaks", "a red house", ""]]))
    similar = (vectors[0] @ tf.transpose(vectors[0])).numpy()
    assert vectors.shape == (1, 4, SIZE)
    np.testing.assert_allclose(np.diag(similar), [1, 1, 1, 0], atol=1e-5)
    assert similar[0, 1] > 0.5 > 0.2 > abs(similar[0, 2])


def test_tokens_of_a_text_depend_on_it_alone():
    texts = tf.constant([["good morning", "дом " * 200], ["", "good morning"]])
    tokens = phrase_tokens(texts).numpy()
    assert tokens.shape == (2, 2, MAX_TOKENS)
    np.testing.assert_array_equal(tokens[0, 0], tokens[1, 1])
    assert (tokens[0, 1] > 0).all() and not tokens[1, 0].any()


def test_words_and_their_parts_are_counted_apart():
    tokens = phrase_tokens(tf.constant(["the old cat", "the"])).numpy()
    places = tokens[tokens > 0] % SIZE
    assert (tokens[0, :3] % SIZE < WORDS).all() and (tokens[0, 3:30] % SIZE >= WORDS).all()
    assert tokens[0, 0] == tokens[1, 0] and (places < WORDS).sum() == 4
    assert tokens.min() >= 0
