"""Head, ridge regression (scikit-learn's) and table of words, added; padding."""

import numpy as np
import tensorflow as tf
from sklearn.linear_model import Ridge

from components.episodes.types import Support
from components.meta_trainer.backbones.phrase_bag import PhraseBagOptions, phrase_bag
from components.meta_trainer.learners.ridge_beside_head import (
    RIDGE_FLOOR,
    RIDGE_SHARE,
    WORDS_FLOOR,
    WORDS_SHARE,
    ridge_beside_head,
)
from components.meta_trainer.learners.word_table import fit_table, translate
from components.meta_trainer.network import Network, head_outputs
from components.modalities.phrases import phrase_tokens
from components.signed_counts import SIZE, WORDS
from components.tasks.retrieval import retrieval

PENALTY = 0.7


def test_it_is_the_sum_of_three_directions():
    network = Network(phrase_bag(PhraseBagOptions(buckets=64, size=4), (8,)), SIZE)
    task = retrieval()
    learner = ridge_beside_head(PENALTY, network, task)
    weights = learner.init(0)
    x, query_x = (
        phrase_tokens(tf.constant([texts]))
        for texts in (["een kat", "de hond", "de oude kat"], ["een hond", "een oud huis"])
    )
    y = task.prepare_labels(tf.constant([["a cat", "the dog", "the old cat"]]))
    path = learner.path(weights, Support(x, y), query_x).numpy()[0]

    features, queries = (network.features(weights, each)[0] for each in (x, query_x))
    known = head_outputs(weights["head"], queries)[0].numpy()
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    counts, asked = features[..., -SIZE:], queries[..., -SIZE:]
    ridge = Ridge(alpha=PENALTY).fit(counts[0].numpy(), y[0].numpy())
    shown = ridge.predict(asked[0].numpy()) - y[0].numpy().mean(axis=0)
    expected = known + RIDGE_SHARE * _direction(shown, RIDGE_FLOOR)
    fitted = fit_table(counts[..., :WORDS], y[..., :WORDS], tf.ones([1, 3]))
    translated = translate(fitted, asked[..., :WORDS])[0].numpy()
    assert translated.any()
    expected[:, :WORDS] += WORDS_SHARE * _direction(translated, WORDS_FLOOR)
    np.testing.assert_allclose(path[0], known, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(path[1], expected, rtol=1e-3, atol=1e-5)


def _direction(rows: np.ndarray, floor: float) -> np.ndarray:
    return rows / np.sqrt((rows**2).sum(axis=1, keepdims=True) + floor**2)


def test_padding_changes_no_answer_of_phrases():
    network = Network(phrase_bag(PhraseBagOptions(buckets=64, size=4), (8,)), SIZE)
    task = retrieval()
    learner = ridge_beside_head(PENALTY, network, task)
    weights = learner.init(0)
    texts = phrase_tokens(tf.constant([["een kat", "de hond", "iets anders"]]))
    phrases = task.prepare_labels(tf.constant([["a cat", "the dog", ""]]))
    query_x = phrase_tokens(tf.constant([["een hond"]]))

    def answers(count: int) -> tf.Tensor:
        support = Support(texts[:, :count], phrases[:, :count])
        return learner.predict(weights, learner.adapt(weights, support), query_x)

    np.testing.assert_allclose(answers(3), answers(2), rtol=1e-4, atol=1e-5)
