"""WordPiece in the graph against the tokens of Hugging Face's `tokenizers` 0.23.3."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from components.meta_trainer.encoders.tokens import framed_ids
from components.meta_trainer.encoders.wordpiece import WordPiece

FILE = json.loads(Path(__file__).with_name("wordpiece_cases.json").read_text())


@pytest.fixture(scope="module")
def tokenizer():
    return WordPiece(FILE["vocabulary"])


def test_odd_texts_have_the_tokens_of_the_reference(tokenizer):
    texts, ids = zip(*FILE["cases"])
    found = tokenizer(tf.constant([text.encode() for text in texts])).to_list()
    assert dict(zip(texts, found)) == dict(zip(texts, ids))


def test_a_text_that_is_no_utf8_has_tokens(tokenizer):
    assert tokenizer(tf.constant([b"\xff play \xc3"])).to_list() == [[6]]


def test_tokens_do_not_depend_on_the_texts_beside(tokenizer):
    texts = [text.encode() for text, _ in FILE["cases"]]
    alone, among = (tokenizer(tf.constant(t)).to_list() for t in (texts[3:4], texts))
    assert alone == among[3:4]


def test_a_long_text_keeps_its_first_tokens_between_the_frames(tokenizer):
    ids = framed_ids(tokenizer, tf.constant(["play music the song", "food"]), 5, 2, 3)
    assert ids.numpy().tolist() == [[2, 6, 7, 5, 3], [2, 12, 3, 0, 0]]
