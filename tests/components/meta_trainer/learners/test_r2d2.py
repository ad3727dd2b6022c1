"""R2-D2 beside scikit-learn's ridge regression, and padding."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import Ridge

from components.episodes.types import Support
from components.meta_trainer.backbones.base import Backbone
from components.meta_trainer.learners.r2d2 import R2d2Options, r2d2
from components.meta_trainer.network import Network
from components.tasks.classification import classification
from components.tasks.regression import regression

PENALTY, SCALE = 0.7, 3.0


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def predicted(network, weights, support: Support, query_x: tf.Tensor) -> np.ndarray:
    learner = r2d2(R2d2Options(penalty=PENALTY, scale=SCALE), network, classification())
    return learner.predict(weights, learner.adapt(weights, support), query_x).numpy()


def test_it_is_ridge_regression_on_centred_features_of_length_1(
    small_network, small_episodes, in_float64
):
    network, episodes = small_network(), small_episodes(episodes=1)
    learner = r2d2(R2d2Options(penalty=PENALTY, scale=SCALE), network, classification())
    weights = in_float64(learner.init(0))
    support, query_x = episodes.support, episodes.query_x
    outputs = predicted(network, weights, support, query_x)[0]

    x, statistics = network.features(weights, support.x, tf.ones_like(support.y, tf.float64))
    queries, _ = network.features(weights, query_x, statistics=statistics)
    mean = x[0].numpy().mean(axis=0)
    labels = np.eye(int(support.y.numpy().max()) + 1)[support.y.numpy()[0]]
    ridge = Ridge(alpha=PENALTY, fit_intercept=False)
    ridge.fit(unit(x[0].numpy() - mean), labels - labels.mean(axis=0))
    expected = SCALE * ridge.predict(unit(queries[0].numpy() - mean))
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("positions", [(), (3, 4)])
def test_of_float_targets_it_is_ridge_regression_with_an_offset(positions):
    """Each position is a row of its own; the penalty is by the rows' mean square."""
    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 1.0, (1, 5, *positions, 3))
    y = rng.normal(size=(1, 5, *positions, 2))
    backbone = Backbone(lambda seed: {}, lambda w, x, *_, **__: (x, {}), 3, positions=positions)
    learner = r2d2(R2d2Options(penalty=PENALTY), Network(backbone, 2), regression(y.shape[2:]))
    weights = {"body": {}, "ridge": {"log_penalty": tf.constant(np.log(PENALTY))}}
    adapted = learner.adapt(weights, Support(tf.constant(x), tf.constant(y)))
    found = learner.predict(weights, adapted, tf.constant(x[:, :2])).numpy()

    rows = x.reshape(-1, 3)
    square = ((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()
    ridge = Ridge(alpha=PENALTY * square).fit(rows, y.reshape(-1, 2))
    expected = ridge.predict(x[:, :2].reshape(-1, 3)).reshape(found.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
