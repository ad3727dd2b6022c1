"""The ridge regression about the head beside scikit-learn's, and padding."""

import numpy as np
import tensorflow as tf
from sklearn.linear_model import Ridge

from components.episodes.types import Support
from components.meta_trainer.backbones.mlp import MlpOptions, mlp
from components.meta_trainer.backbones.phrase_bag import PhraseBagOptions, phrase_bag
from components.meta_trainer.learners.ridge_about_head import ridge_about_head
from components.meta_trainer.network import Network, head_outputs
from components.modalities.phrases import phrase_tokens
from components.signed_counts import SIZE
from components.tasks.regression import regression
from components.tasks.retrieval import retrieval

PENALTY = 0.7


def test_of_targets_it_is_ridge_regression_of_what_the_head_leaves():
    rng = np.random.default_rng(0)
    network = Network(mlp(MlpOptions(), (3,)), 2)
    learner = ridge_about_head(PENALTY, network, regression((2,)))
    weights = learner.init(0)
    x, y, query_x = (rng.normal(size=(1, n, d)).astype("f") for n, d in ((9, 3), (9, 2), (4, 3)))
    support = Support(tf.constant(x), tf.constant(y))
    path = learner.path(weights, support, tf.constant(query_x)).numpy()[0]

    features, statistics = network.features(weights, support.x)
    queries, _ = network.features(weights, tf.constant(query_x), statistics=statistics)
    before, of_support = (head_outputs(weights["head"], f)[0].numpy() for f in (queries, features))
    ridge = Ridge(alpha=PENALTY).fit(features[0].numpy(), y[0] - of_support)
    np.testing.assert_allclose(path[0], before, rtol=1e-5)
    np.testing.assert_allclose(path[1], before + ridge.predict(queries[0].numpy()), rtol=1e-3)


def test_padding_changes_no_answer_of_phrases():
    network = Network(phrase_bag(PhraseBagOptions(buckets=64, size=4), (8,)), SIZE)
    task = retrieval()
    learner = ridge_about_head(PENALTY, network, task)
    weights = learner.init(0)
    texts = phrase_tokens(tf.constant([["een kat", "de hond", "iets anders"]]))
    phrases = task.prepare_labels(tf.constant([["a cat", "the dog", ""]]))
    query_x = phrase_tokens(tf.constant([["een hond"]]))

    def answers(count: int) -> tf.Tensor:
        support = Support(texts[:, :count], phrases[:, :count])
        return learner.predict(weights, learner.adapt(weights, support), query_x)

    np.testing.assert_allclose(answers(3), answers(2), rtol=1e-4, atol=1e-5)
