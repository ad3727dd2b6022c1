"""The cache of features: each example is encoded once, whoever asks and in which run."""

import numpy as np
import pytest
import tensorflow as tf

from components.feature_cache import FeatureCache
from components.modalities.base import ExampleSpec

TEXTS = ExampleSpec("text", "string", ())
SOUNDS = ExampleSpec("audio", "float32", (None,), sample_rate=8000)
ABOUT = {"name": "tiny", "source": "here", "licence": "mit", "sha256": "12"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path))


def lengths(calls: list):
    """An encoder that gives the length of a text, and notes how many it was given."""

    def encode(x: tf.Tensor) -> tf.Tensor:
        tf.numpy_function(lambda n: calls.append(int(n)), [tf.shape(x)[0]], [])
        return tf.cast(tf.strings.length(x), tf.float32)[:, None]

    return encode


def test_an_example_is_encoded_once_over_calls_and_runs():
    calls: list[int] = []
    texts = [b"a" * (i % 100) for i in range(150)]
    cache = FeatureCache(lengths(calls), TEXTS, ABOUT)
    assert cache.features(texts)[:, 0].tolist() == [i % 100 for i in range(150)]
    assert sum(calls) == 100
    cache.features([*texts, b"new" * 99])
    again = FeatureCache(lengths(calls), TEXTS, ABOUT | {"source": "there"})
    assert again.features([b"new" * 99, b"aa"])[:, 0].tolist() == [297, 2]
    assert sum(calls) == 101


def test_another_encoder_has_features_of_its_own():
    calls: list[int] = []
    for sha256 in ("12", "34"):
        FeatureCache(lengths(calls), TEXTS, ABOUT | {"sha256": sha256}).features([b"a"])
    assert sum(calls) == 2


def test_examples_of_numbers_are_padded_at_their_end():
    def encode(x: tf.Tensor) -> tf.Tensor:
        return tf.reduce_sum(x, axis=1, keepdims=True)

    sounds = [np.arange(n, dtype=np.float32) for n in (5, 3, 4)]
    stored = [SOUNDS.to_bytes(sound) for sound in sounds]
    features = FeatureCache(encode, SOUNDS, ABOUT).features(stored)
    assert features[:, 0].tolist() == [10, 3, 6]


def test_a_folder_that_cannot_be_written_to_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path / "file"))
    calls: list[int] = []
    assert FeatureCache(lengths(calls), TEXTS, ABOUT).features([b"abc"]).tolist() == [[3.0]]
