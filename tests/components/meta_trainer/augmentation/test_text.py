"""Which words may go."""

import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.augmentation.text import drop_words

SEED = tf.constant([1, 2], tf.int64)
TEXTS = tf.constant([["what is my balance", "hello", ""], ["a b c d e f g h", "x y", "z"]])
EPISODES = Episodes(TEXTS, tf.zeros([2, 3], tf.int32), TEXTS, tf.zeros([2, 3], tf.int32))


def test_what_is_left_is_in_order_and_begins_with_the_first_word():
    varied = drop_words(EPISODES, 0.5, SEED)
    for before, after in zip(TEXTS.numpy().ravel(), varied.support_x.numpy().ravel()):
        rest = iter(before.split())
        assert all(word in rest for word in after.split())
        assert before.split()[:1] == after.split()[:1]


def test_some_words_go_and_support_and_query_differ():
    varied = drop_words(EPISODES, 0.5, SEED)
    assert (varied.support_x.numpy() != TEXTS.numpy()).any()
    assert (varied.support_x.numpy() != varied.query_x.numpy()).any()


def test_nothing_goes_at_0():
    assert (drop_words(EPISODES, 0.0, SEED).query_x.numpy() == TEXTS.numpy()).all()
