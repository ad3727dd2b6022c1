"""ResNet-12: shapes, size, one episode apart from another, and its meta-gradient."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.backbones.resnet12 import Resnet12Options, resnet12
from components.meta_trainer.learners.maml import MamlOptions, maml
from components.meta_trainer.network import Network
from components.meta_trainer.types import stack_for_episodes
from components.tasks.classification import classification
from serving.errors import UserError

SMALL = Resnet12Options(filters=4, blocks=2)


def images(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).normal(size=shape), tf.float32)


def test_the_paper_s_network_has_its_size():
    """Convolutions of 64, 128, 256 and 512 channels: 7.98 million weights in kernels."""
    backbone = resnet12(Resnet12Options(), (84, 84, 3))
    kernels = [w for name, w in backbone.init(0).items() if name.endswith("_kernel")]
    depths = [3, 64, 128, 256, 512]
    expected = sum(9 * (a * b + 2 * b * b) + a * b for a, b in itertools.pairwise(depths))
    assert sum(int(tf.size(w)) for w in kernels) == expected
    assert len(kernels) == 16 and backbone.feature_size == 512


def test_weights_of_each_episode_are_used_for_it_alone():
    backbone = resnet12(SMALL, (9, 10, 3))
    x = images(2, 3, 9, 10, 3)
    ones = tf.ones([2, 3])
    first, second = backbone.init(0), backbone.init(1)
    both = {name: tf.stack([first[name], second[name]]) for name in first}
    together, _ = backbone.features(both, x, ones)
    for episode, weights in enumerate([first, second]):
        one = slice(episode, episode + 1)
        alone, _ = backbone.features(stack_for_episodes(weights, 1), x[one], ones[one])
        np.testing.assert_allclose(together[one], alone, atol=1e-5)


def test_a_query_is_answered_from_the_support_set_and_itself_alone():
    backbone = resnet12(SMALL, (8, 8, 1))
    weights = backbone.init(0)
    _, statistics = backbone.features(weights, images(1, 4, 8, 8, 1), tf.ones([1, 4]))
    queries = images(1, 5, 8, 8, 1)
    together, _ = backbone.features(weights, queries, tf.ones([1, 5]), statistics)
    alone, _ = backbone.features(weights, queries[:, 2:3], tf.ones([1, 1]), statistics)
    np.testing.assert_allclose(together[:, 2:3], alone, atol=1e-5)


def test_meta_gradient_by_finite_differences(small_episodes, in_float64, assert_finite_differences):
    network = Network(resnet12(SMALL, (8, 8, 1)), 3)
    learner = maml(MamlOptions(inner_steps=1, inner_learning_rate=0.1), network, classification())
    weights, episodes = in_float64(learner.init(0)), small_episodes()
    assert_finite_differences(learner, weights, episodes, tf.constant(0.0), step=1e-7)


def test_an_image_too_small_to_halve_is_refused():
    with pytest.raises(UserError, match="must leave at least one pixel"):
        resnet12(Resnet12Options(), (15, 15, 1))
