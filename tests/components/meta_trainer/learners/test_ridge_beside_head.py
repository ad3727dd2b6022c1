"""The ridge regression beside the head, compared with scikit-learn's, and padding."""

import numpy as np
import tensorflow as tf
from sklearn.linear_model import Ridge

from components.episodes.types import Support
from components.meta_trainer.backbones.phrase_bag import PhraseBagOptions, phrase_bag
from components.meta_trainer.learners.ridge_beside_head import FIRST_FLOOR, ridge_beside_head
from components.meta_trainer.network import Network, head_outputs
from components.modalities.phrases import phrase_tokens
from components.signed_counts import SIZE
from components.tasks.retrieval import retrieval

PENALTY = 0.7


def test_it_is_the_direction_of_the_head_and_that_of_ridge_regression():
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
    ridge = Ridge(alpha=PENALTY).fit(features[0].numpy(), y[0].numpy())
    shown = ridge.predict(queries[0].numpy()) - y[0].numpy().mean(axis=0)
    shown /= np.sqrt((shown**2).sum(axis=1, keepdims=True) + FIRST_FLOOR**2)
    np.testing.assert_allclose(path[0], known, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(path[1], known + shown, rtol=1e-3, atol=1e-5)


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
