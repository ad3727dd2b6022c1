"""Whose moments normalise a query: what each mode lets an answer depend on."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.kernels.convolution import max_pool
from components.meta_trainer.kernels.normalisation import Mode, Normalisation

RNG = np.random.default_rng(0)
INDUCTIVE = [mode for mode in get_args(Mode) if Normalisation(mode).inductive]


def random(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.standard_normal(shape))


def normalised(mode: str, support: tf.Tensor, query: tf.Tensor) -> np.ndarray:
    norm = Normalisation(mode)
    weights = {name: tf.cast(w, tf.float64) for name, w in norm.init("layer", 4).items()}
    ones = [tf.ones(x.shape[:2], tf.float64) for x in (support, query)]
    _, statistics = norm.apply(weights, "layer", support, ones[0], None)
    return norm.apply(weights, "layer", query, ones[1], statistics)[0].numpy()


@pytest.mark.parametrize("mode", INDUCTIVE)
@pytest.mark.parametrize("position", [0, 2])
def test_a_query_is_normalised_without_the_others(mode, position):
    support, query = random(2, 5, 3, 3, 4), random(2, 3, 3, 3, 4)
    alone = normalised(mode, support, query[:, position : position + 1])
    together = normalised(mode, support, query)
    np.testing.assert_allclose(alone[:, 0], together[:, position], atol=1e-12)


def test_published_batch_moments_depend_on_the_other_queries():
    support, query = random(2, 5, 3, 3, 4), random(2, 3, 3, 3, 4)
    alone = normalised("transductive", support, query[:, :1])
    assert np.abs(alone[:, 0] - normalised("transductive", support, query)[:, 0]).max() > 0.1


def test_by_its_own_moments_an_example_ignores_the_support_set():
    query = random(1, 2, 3, 3, 4)
    first, second = (normalised("example", random(1, 5, 3, 3, 4), query) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first.mean(axis=(2, 3, 4)), 0, atol=1e-12)
    np.testing.assert_allclose(first.std(axis=(2, 3, 4)), 1, atol=1e-2)


@pytest.mark.parametrize("mode", get_args(Mode))
def test_maxima_taken_before_are_those_of_the_result(mode):
    norm, x = Normalisation(mode), random(2, 3, 5, 4, 4)
    weights = {name: tf.cast(w, tf.float64) for name, w in norm.init("layer", 4).items()}
    weights["layer_offset"] = random(4)
    after, _ = norm.apply(weights, "layer", x, None, None, slope=0.1)
    before, _ = norm.apply(weights, "layer", x, None, None, slope=0.1, pool=max_pool)
    np.testing.assert_allclose(before, max_pool(after), atol=1e-14)
