"""Tokens inside the graph: the same for the same words, whatever they are written like."""

import numpy as np
import pytest
import tensorflow as tf

from components.modalities.base import ExampleSpec
from components.modalities.text import MAX_TOKENS, bag_of_words, text_modality, token_hashes, words

TEXT = text_modality(ExampleSpec("text", "string", ()))
PREPARE = tf.function(TEXT.prepare)


def test_case_and_punctuation_do_not_matter():
    first, second = token_hashes(tf.constant(["What's my balance?", "whats  my, BALANCE"])).numpy()
    assert np.array_equal(first, second) and (first > 0).any()


def test_words_of_any_script_are_words():
    found = words(tf.constant(["Über Straße", "東京 へ", "привет, мир!"])).to_list()
    assert [[w.decode() for w in text] for text in found] == [
        ["über", "straße"],
        ["東京", "へ"],
        ["привет", "мир"],
    ]


def test_bytes_that_are_no_utf8_and_texts_without_words_have_an_answer():
    hashes = token_hashes(tf.constant([b"\xff\xfe ok", b"?!", b""])).numpy()
    assert (hashes[0] > 0).any() and not hashes[1:].any()


def test_a_word_never_seen_shares_parts_with_its_kin():
    one, other, far = (
        set(row[row > 0])
        for row in token_hashes(tf.constant(["restaurants", "restaurant", "banana"])).numpy()
    )
    assert len(one & other) > len(one & far)
    assert min(one & other) > 0


def test_a_long_text_is_cut_to_its_words_first():
    text = " ".join(f"word{i}" for i in range(400))
    hashes = token_hashes(tf.constant([text, text + " and more"])).numpy()
    assert hashes.shape == (2, MAX_TOKENS) and (hashes > 0).all()
    assert np.array_equal(hashes[0], hashes[1])


def test_any_leading_shape_and_each_text_on_its_own():
    texts = tf.constant([["one two", "three"], ["four", "five six seven"]])
    together = PREPARE(texts)
    assert together.shape == (2, 2, MAX_TOKENS)
    assert np.array_equal(together[1, 1], PREPARE(texts[1:, 1:])[0, 0])


def test_the_bag_of_words_has_length_one_and_forgets_order():
    bags = bag_of_words(np.array([b"a b b", b"b a b", b""], object))
    assert np.allclose(bags[0], bags[1])
    assert np.allclose(np.linalg.norm(bags, axis=1), [1, 1, 0])


@pytest.mark.parametrize("text", [" ", "?!", "\n\t", "\N{THUMBS UP SIGN}"])
def test_a_text_without_a_word_is_refused_by_the_name_of_the_input(text):
    decode = TEXT.decode
    with pytest.raises(tf.errors.InvalidArgumentError, match="text 1 of `query_x` must"):
        decode(tf.constant(["a word", text, ""]), "query_x", tf.range(3))
    whole = decode(tf.constant(["a word", ""]), "query_x", tf.range(2))
    assert whole.numpy().tolist() == [b"a word", b""]
