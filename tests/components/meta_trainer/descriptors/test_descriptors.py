"""Descriptors beside a network: the same numbers as the scripts' features, and mixed by shares."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes
from components.few_shot_evaluator.classification import image_features
from components.meta_trainer.backbones.conv4 import Conv4Options, conv4
from components.meta_trainer.build import assemble_for
from components.meta_trainer.descriptors.image import colours, edges, waves
from components.meta_trainer.descriptors.spectrum import spectrum_descriptors
from components.modalities import speech
from components.modalities.base import ExampleSpec

RNG = np.random.default_rng(0)
SHAPES = {"image": (16, 16, 3), "spectrum": (8, 14, 1)}


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 3), (70, 3)])
def test_edges_and_colours_are_those_of_the_baselines(side, channels):
    images = RNG.integers(0, 256, [4, side, side, channels], dtype=np.uint8)
    x = tf.constant(images, tf.float32) / 255
    expected = image_features.histogram_of_gradients(images)
    np.testing.assert_allclose(np.reshape(edges(x), [4, -1]), expected, atol=1e-6)
    if channels == 3:
        both = image_features.edges_and_colours(images)[:, expected.shape[1] :]
        np.testing.assert_allclose(
            np.sort(both), np.sort(np.reshape(colours(x), [4, -1])), atol=1e-6
        )


def test_waves_are_the_amplitudes_of_fourier_and_do_not_depend_on_the_place():
    y, x = np.mgrid[0:32, 0:32] * 2 * np.pi / 32
    moved = [np.sin(5 * x + 3 * y + phase)[..., None] / 2 + 0.5 for phase in (0.0, 1.0, 4.0)]
    images = np.stack(moved).astype(np.float32)
    described = waves(tf.constant(images)).numpy()
    assert described.shape == (3, 32, 17)
    window = np.outer(np.hanning(32), np.hanning(32))
    grey = images[..., 0] - images[..., 0].mean((1, 2), keepdims=True)
    expected = np.sqrt(np.abs(np.fft.rfft2(grey * window)))
    np.testing.assert_allclose(described, expected, atol=0.01)
    np.testing.assert_allclose(described[1:], described[:1].repeat(2, 0), atol=0.5)
    assert described[0].max() > 5


def test_spectra_are_those_of_the_baselines():
    samples = RNG.normal(size=[3, 4000]).astype(np.float32)
    frames = speech.spectrogram(tf.constant(samples), 8000)
    described = spectrum_descriptors(frames[None, ..., None])
    np.testing.assert_allclose(described["bands"][0], tf.reduce_mean(frames, 1), atol=1e-5)
    np.testing.assert_allclose(described["cepstra"][0], speech.mfccs(samples, 8000), atol=1e-3)


@pytest.mark.parametrize("kind", SHAPES)
def test_a_query_does_not_depend_on_padding_or_on_other_queries(kind):
    backbone = conv4(Conv4Options(filters=4, blocks=2, descriptors=kind), SHAPES[kind])
    weights = backbone.init(0)
    support, query = (tf.constant(RNG.random([2, n, *SHAPES[kind]]), tf.float32) for n in (5, 3))
    _, statistics = backbone.features(weights, support, None)
    padded = tf.pad(support, [[0, 0], [0, 2], *[[0, 0]] * 3])
    mask = tf.constant([[1.0] * 5 + [0.0] * 2] * 2)
    _, of_padded = backbone.features(weights, padded, mask)
    features, _ = backbone.features(weights, query, None, statistics)
    alone, _ = backbone.features(weights, query[:, :1], None, of_padded)
    np.testing.assert_allclose(features[:, :1], alone, atol=1e-5)
    assert features.shape[-1] == backbone.feature_size
    shared = {name: values[0] for name, values in statistics.items()}  # as the embedding has them
    embedded, _ = backbone.features(weights, query[:1], None, shared)
    np.testing.assert_allclose(embedded, features[:1], atol=1e-5)


@pytest.mark.parametrize("kind", SHAPES)
def test_every_block_has_its_share(kind):
    backbone = conv4(Conv4Options(filters=4, blocks=2, descriptors=kind), SHAPES[kind])
    x = tf.constant(RNG.random([1, 6, *SHAPES[kind]]), tf.float32)
    weights = dict(backbone.init(0))
    shares = [name for name in weights if name.endswith("_share")]
    assert len(shares) == {"image": 5, "spectrum": 3}[kind]
    features, _ = backbone.features(weights, x, None)
    np.testing.assert_allclose(tf.norm(features, axis=-1), len(shares) ** 0.5, rtol=1e-4)
    for share in shares:
        one = weights | {name: tf.constant(0.0 if name == share else -9.0) for name in shares}
        features, _ = backbone.features(one, x, None)
        np.testing.assert_allclose(tf.norm(features, axis=-1), 1, rtol=1e-4)


def test_the_shares_are_meta_learned_by_a_compiled_step():
    spec = ExampleSpec("image", "uint8", (16, 16, 3))
    backbone = {"name": "conv4", "filters": 4, "blocks": 2, "descriptors": "image"}
    learner = assemble_for(spec, 2, {"name": "r2d2", "backbone": backbone}).learner
    x = tf.constant(RNG.random([1, 4, 16, 16, 3]), tf.float32)
    y = tf.constant([[0, 0, 1, 1]])
    episodes, weights = Episodes(x, y, x[:, ::-1] ** 2, y[:, ::-1]), learner.init(0)
    compiled = tf.function(learner.meta_gradients, jit_compile=True, autograph=False)
    gradients = compiled(weights, episodes, tf.constant(0.0)).gradients["body"]
    assert all(abs(float(gradients[f"{name}_share"])) > 1e-6 for name in ("network", "edges"))
