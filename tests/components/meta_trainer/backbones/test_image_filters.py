"""Image filters: features at every pixel of pictures of any size, which reach simple styles."""

import numpy as np
import pytest
import tensorflow as tf

from components.episode_gen.colour_styles.pictures import draw_picture
from components.episodes.types import Support
from components.meta_trainer.backbones.image_filters import ImageFiltersOptions, image_filters
from components.meta_trainer.learners.r2d2 import R2d2Options, r2d2
from components.meta_trainer.network import Network
from components.tasks.regression import regression

OPTIONS = ImageFiltersOptions(filters=6, features=5)
BACKBONE = image_filters(OPTIONS, (64, 64, 3))
LEARNER = r2d2(R2d2Options(), Network(BACKBONE, 3), regression((64, 64, 3)))


@pytest.fixture(scope="module")
def images() -> tf.Tensor:
    """`[1, 4, 64, 64, 3]`."""
    rng = np.random.RandomState([0])
    return tf.constant(np.stack([draw_picture(rng) for _ in range(4)])[np.newaxis])


def test_a_part_of_a_picture_has_the_features_that_it_has_in_the_whole(images):
    """Screens begin anew every 12 pixels, and a feature sees 10 pixels far."""
    weights = BACKBONE.init(0)
    whole, _ = BACKBONE.features(weights, images)
    assert whole.shape == (1, 4, 64, 64, BACKBONE.feature_size)
    part, _ = BACKBONE.features(weights, images[:, :, 12:53, 24:])
    np.testing.assert_allclose(part[:, :, 12:29, 12:28], whole[:, :, 24:41, 36:52], atol=1e-5)


def test_weights_may_be_those_of_each_episode(images):
    weights = BACKBONE.init(0)
    stacked = {name: weight[None] for name, weight in weights.items()}
    shared, own = (BACKBONE.features(w, images[:, :1])[0] for w in (weights, stacked))
    np.testing.assert_allclose(shared, own, atol=1e-5)


STYLES = {
    "colours": lambda x: 0.1 + 0.8 * x[..., ::-1] ** 2,
    "blur": lambda x: (x + np.roll(x, 1, axis=2) + np.roll(x, -1, axis=2)) / 3,
}


@pytest.mark.parametrize("name", STYLES)
def test_ridge_regression_reaches_a_style_of_pictures_never_seen(images, name):
    """Without any meta-training the error is a small part of that of the mean picture."""
    styled = tf.constant(STYLES[name](images.numpy()), tf.float32)
    weights = LEARNER.init(0)
    adapted = LEARNER.adapt(weights, Support(images[:, :3], styled[:, :3]))
    error = tf.reduce_mean((LEARNER.predict(weights, adapted, images[:, 3:]) - styled[:, 3:]) ** 2)
    mean = tf.reduce_mean((tf.reduce_mean(styled[:, :3]) - styled[:, 3:]) ** 2)
    assert float(error) < 0.1 * float(mean)
