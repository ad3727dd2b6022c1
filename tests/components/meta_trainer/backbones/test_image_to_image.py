"""Image to image: every pixel has features, episodes stay apart, offsets adapt where they are
biases."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.backbones.image_to_image import ImageToImageOptions, image_to_image
from components.meta_trainer.learners.maml import MamlOptions, maml
from components.meta_trainer.network import Network
from components.tasks.regression import regression
from serving.errors import UserError

SMALL = ImageToImageOptions(filters=8, layers=2, fold=2)


def images(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


@pytest.mark.parametrize("fold", [1, 2, 4])
def test_there_are_features_at_every_pixel(fold):
    options = ImageToImageOptions(filters=16, layers=2, fold=fold)
    backbone = image_to_image(options, (8, 12, 3))
    features, _ = backbone.features(backbone.init(0), images(2, 3, 8, 12, 3), tf.ones([2, 3]))
    assert features.shape == (2, 3, 8, 12, backbone.feature_size)
    assert backbone.positions == (8, 12)


def test_what_lies_far_from_a_pixel_does_not_change_its_answer():
    """Two 3 x 3 convolutions on squares of 2 x 2 see 4 pixels and the rest of a square."""
    network = Network(image_to_image(SMALL, (24, 24, 1)), 1)
    weights, x = network.init(0), images(1, 1, 24, 24, 1)
    changed = tf.concat([x[:, :, :, :12], x[:, :, :, 12:] + 1.0], axis=3)
    ones = tf.ones([1, 1])
    one, other = (network.forward(weights, image, ones)[0] for image in (x, changed))
    assert one.shape == x.shape
    np.testing.assert_allclose(one[:, :, :, :8], other[:, :, :, :8], atol=1e-6)
    assert np.abs(one[:, :, :, 11:12] - other[:, :, :, 11:12]).max() > 1e-3


def test_adaptation_lowers_the_error_on_the_support_pairs():
    network = Network(image_to_image(SMALL, (8, 8, 1)), 1)
    learner = maml(
        MamlOptions(inner_steps=5, inner_learning_rate=0.05), network, regression((8, 8, 1))
    )
    weights, x = learner.init(0), images(2, 4, 8, 8, 1)
    episodes = Episodes(x, 1.0 - x, x, 1.0 - x)
    path = learner.path(weights, episodes.support, x)
    errors = [float(tf.reduce_mean(tf.square(path[:, k] - (1.0 - x)))) for k in range(6)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 0.7 * errors[0]


def test_offsets_are_biases_without_normalisation_only():
    plain = image_to_image(SMALL, (8, 8, 1))
    normalised = image_to_image(ImageToImageOptions(filters=8, normalisation="support"), (8, 8, 1))
    assert not plain.frozen_names and "conv1_offset" in normalised.frozen_names


def test_an_image_that_cannot_be_folded_is_refused():
    with pytest.raises(UserError, match="must divide the image's sides"):
        image_to_image(SMALL, (9, 8, 1))
