"""Tiny networks and episodes, in float64, on which gradients can be checked by hand."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.backbones.base import Backbone
from components.meta_trainer.backbones.conv4 import Conv4Options, conv4
from components.meta_trainer.network import Network


@pytest.fixture
def scalar_network() -> Network:
    """f(x) = w x + b: the head alone."""
    identity = Backbone(
        init=lambda seed: {},
        features=lambda weights, x, mask, statistics=None: (x, {}),
        feature_size=1,
    )
    return Network(identity, 1)


@pytest.fixture
def scalar_episode() -> Episodes:
    """Support (x, y) = (2, 1), query (3, 5)."""
    numbers = [np.full([1, 1, 1], v) for v in (2.0, 1.0, 3.0, 5.0)]
    return Episodes(*(tf.constant(n) for n in numbers))


@pytest.fixture
def small_network():
    """conv4 with 4 filters on 8 x 8 images, `mode` of normalisation as asked for."""

    def make(mode: str = "support", ways: int = 3, **options) -> Network:
        return Network(
            conv4(Conv4Options(filters=4, blocks=2, normalisation=mode, **options), (8, 8, 1)), ways
        )

    return make


@pytest.fixture
def small_episodes():
    """Stacks of episodes of random images, `[E, ways * shots, 8, 8, 1]`, in float64."""

    def make(
        episodes: int = 2, ways: int = 3, shots: int = 2, queries: int = 2, seed: int = 0
    ) -> Episodes:
        rng = np.random.default_rng(seed)
        prototypes = rng.normal(size=(episodes, ways, 1, 8, 8, 1))

        def draw(per_class: int):
            x = prototypes + 0.5 * rng.normal(size=(episodes, ways, per_class, 8, 8, 1))
            y = np.broadcast_to(np.arange(ways)[:, None], (episodes, ways, per_class))
            flat = x.reshape(episodes, ways * per_class, 8, 8, 1)
            return tf.constant(flat), tf.constant(y.reshape(episodes, -1), tf.int32)

        return Episodes(*draw(shots), *draw(queries))

    return make


@pytest.fixture
def in_float64():
    """Casts weights to float64."""
    return lambda weights: tf.nest.map_structure(lambda w: tf.cast(w, tf.float64), weights)


@pytest.fixture
def assert_finite_differences():
    """Holds a meta-gradient to central differences along a random direction of all weights."""

    def check(learner, weights, episodes, progress, step: float = 1e-6) -> None:
        rng = np.random.default_rng(1)
        direction = tf.nest.map_structure(lambda w: tf.constant(rng.normal(size=w.shape)), weights)
        gradients = learner.meta_gradients(weights, episodes, progress).gradients
        products = tf.nest.map_structure(lambda g, d: np.sum(g * d), gradients, direction)

        def loss(t: float) -> float:
            moved = tf.nest.map_structure(lambda w, d: w + t * d, weights, direction)
            return float(learner.meta_gradients(moved, episodes, progress).loss)

        numeric = (loss(step) - loss(-step)) / (2 * step)
        np.testing.assert_allclose(numeric, sum(tf.nest.flatten(products)), rtol=1e-4)

    return check
