import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.episodes import format as fmt
from components.episodes.format import Episode, decode_episode, encode_episode
from components.modalities.base import ExampleSpec

IMAGE = ExampleSpec("image", "uint8", (4, 3, 1))
TEXT = ExampleSpec("text", "string", ())
AUDIO = ExampleSpec("audio", "float32", (None,))


def an_episode(spec: ExampleSpec, *, index: int = 7, seed: int = 0) -> Episode:
    rng = np.random.default_rng(seed)

    def example(number: int):
        if spec.dtype == "string":
            return f"naïve request {number}"
        if spec.dtype == "float32":
            return rng.standard_normal(5 + number).astype(np.float32)
        return rng.integers(0, 256, spec.shape, dtype=np.uint8)

    return Episode(
        index=index,
        support_x=[example(i) for i in range(2)],
        support_y=np.array([1, 0], np.int32),
        query_x=[example(i) for i in range(4)],
        query_y=np.array([0, 1, 1, 0], np.int32),
        class_names=["α", "beta@90"],
        example_ids=[f"train[{i}]" for i in range(6)],
    )


@pytest.mark.parametrize("spec", [IMAGE, TEXT, AUDIO], ids=lambda spec: spec.modality)
def test_an_episode_comes_back_bit_for_bit(spec):
    episode = an_episode(spec)
    back = decode_episode(encode_episode(episode, spec), spec)
    for name in ("support_x", "query_x", "support_y", "query_y"):
        for have, want in zip(getattr(back, name), getattr(episode, name), strict=True):
            assert np.array_equal(have, want)
            assert np.asarray(have).dtype == np.asarray(want).dtype
    assert back.support_y.dtype == np.int32
    assert (back.index, back.class_names, back.example_ids) == (
        episode.index,
        episode.class_names,
        episode.example_ids,
    )


def test_regression_targets_come_back_bit_for_bit():
    targets = np.array([[0.1, -2.5], [3.0, np.pi]], np.float32)
    episode = dataclasses.replace(an_episode(IMAGE), support_y=targets, class_names=[])
    back = decode_episode(encode_episode(episode, IMAGE), IMAGE)
    assert np.array_equal(back.support_y, targets)
    assert back.support_y.dtype == np.float32


def test_equal_episodes_give_equal_bytes():
    assert encode_episode(an_episode(IMAGE), IMAGE) == encode_episode(an_episode(IMAGE), IMAGE)


def test_the_record_holds_the_contracts_features():
    feature = tf.train.Example.FromString(encode_episode(an_episode(IMAGE), IMAGE)).features.feature
    assert set(feature) == {
        "support/input",
        "support/label",
        "query/input",
        "query/label",
        "episode/index",
        "episode/class_names",
        "episode/example_ids",
    }
    assert len(feature[fmt.QUERY_INPUT].bytes_list.value) == 4


def test_an_example_of_another_shape_is_refused():
    episode = dataclasses.replace(an_episode(IMAGE), query_x=[np.zeros((3, 4, 1), np.uint8)] * 4)
    with pytest.raises(ValueError, match=r"shape \(4, 3, 1\), got \(3, 4, 1\)"):
        encode_episode(episode, IMAGE)
