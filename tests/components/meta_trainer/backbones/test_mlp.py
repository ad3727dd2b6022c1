import numpy as np
import tensorflow as tf

from components.meta_trainer.backbones.mlp import MlpOptions, mlp
from components.meta_trainer.types import stack_for_episodes


def test_it_is_what_numpy_computes_for_each_episode():
    backbone = mlp(MlpOptions(sizes=(5, 4)), (2, 3))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 2, 3)).astype(np.float32)
    two = [{n: rng.normal(size=w.shape) for n, w in backbone.init(0).items()} for _ in range(2)]
    weights = {n: tf.constant(np.stack([w[n] for w in two]), tf.float32) for n in two[0]}
    features, statistics = backbone.features(weights, tf.constant(x), tf.ones([2, 3]))
    for episode, own in enumerate(two):
        h = x[episode].reshape(3, 6)
        for layer in ("dense1", "dense2"):
            h = np.maximum(h @ own[f"{layer}_kernel"] + own[f"{layer}_bias"], 0.0)
        np.testing.assert_allclose(features[episode], h, rtol=1e-4, atol=1e-5)
    assert statistics == {} and backbone.feature_size == 4


def test_shared_weights_are_those_of_every_episode():
    backbone = mlp(MlpOptions(), (1,))
    weights, x = backbone.init(0), tf.random.stateless_normal([2, 5, 1], [0, 1])
    shared, _ = backbone.features(weights, x, tf.ones([2, 5]))
    stacked, _ = backbone.features(stack_for_episodes(weights, 2), x, tf.ones([2, 5]))
    np.testing.assert_allclose(shared, stacked, atol=1e-6)
