import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.dataset import parse_episodes, parse_indices, read_split
from components.episodes.format import Episode, encode_episode
from components.modalities.base import ExampleSpec

IMAGE = ExampleSpec("image", "uint8", (4, 3, 1))
TEXT = ExampleSpec("text", "string", ())
AUDIO = ExampleSpec("audio", "float32", (None,))


def episode_of(support_x, query_x, *, index=0, support_y=None, query_y=None) -> Episode:
    return Episode(
        index=index,
        support_x=support_x,
        support_y=np.arange(len(support_x), dtype=np.int32) if support_y is None else support_y,
        query_x=query_x,
        query_y=np.zeros(len(query_x), np.int32) if query_y is None else query_y,
        class_names=[],
        example_ids=[],
    )


def images(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 3, 1), dtype=np.uint8)


def test_a_vector_of_image_episodes_parses_to_dense_tensors():
    support, query = images(4, 0).reshape(2, 2, 4, 3, 1), images(6, 1).reshape(2, 3, 4, 3, 1)
    serialized = [
        encode_episode(episode_of(s, q, index=i), IMAGE)
        for i, (s, q) in enumerate(zip(support, query), start=5)
    ]
    parsed = parse_episodes(tf.constant(serialized), IMAGE)
    assert np.array_equal(parsed.support_x, support)
    assert np.array_equal(parsed.query_x, query)
    assert np.array_equal(parsed.support_y, [[0, 1], [0, 1]])
    assert parsed.support_y.dtype == tf.int32
    assert np.array_equal(parse_indices(tf.constant(serialized)), [5, 6])


def test_it_parses_inside_tf_data_with_a_static_example_shape():
    serialized = encode_episode(episode_of(images(2, 0), images(3, 1)), IMAGE)
    dataset = tf.data.Dataset.from_tensors(serialized).batch(1)
    dataset = dataset.map(lambda batch: parse_episodes(batch, IMAGE))
    assert dataset.element_spec.support_x.shape.as_list() == [None, None, 4, 3, 1]


def test_a_smaller_episode_is_padded_with_label_minus_one():
    serialized = [
        encode_episode(episode_of(images(2, 0), images(1, 1)), IMAGE),
        encode_episode(episode_of(images(1, 2), images(1, 3)), IMAGE),
    ]
    parsed = parse_episodes(tf.constant(serialized), IMAGE)
    assert np.array_equal(parsed.support_y, [[0, 1], [0, -1]])
    assert not parsed.support_x[1, 1].numpy().any()


def test_text_stays_text():
    parsed = parse_episodes(
        tf.constant([encode_episode(episode_of(["é", "b"], ["c"]), TEXT)]), TEXT
    )
    assert parsed.support_x.numpy().tolist() == [["é".encode(), b"b"]]


def test_a_free_dimension_is_padded_with_zeros():
    short, long = np.ones(2, np.float32), np.full(5, 0.5, np.float32)
    parsed = parse_episodes(
        tf.constant([encode_episode(episode_of([short, long], [short]), AUDIO)]), AUDIO
    )
    assert np.array_equal(parsed.support_x, [[[1, 1, 0, 0, 0], [0.5] * 5]])
    assert parsed.query_x.shape == (1, 1, 2)


def test_regression_targets_keep_their_size():
    targets = np.array([[0.5, 1.5], [2.5, 3.5]], np.float32)
    episode = episode_of(images(2, 0), images(2, 1), support_y=targets, query_y=targets)
    spec = dataclasses.replace(IMAGE, target_shape=(2, 1))
    parsed = parse_episodes(tf.constant([encode_episode(episode, spec)]), spec)
    assert np.array_equal(parsed.query_y, targets.reshape(1, 2, 2, 1))


def test_a_split_is_read_in_the_order_of_its_files(tmp_path):
    folder = tmp_path / "Split-eval"
    folder.mkdir()
    for shard, values in enumerate([[b"0", b"1"], [b"2"]]):
        with tf.io.TFRecordWriter(str(folder / f"data-0000{shard}-of-00002.gz"), "GZIP") as writer:
            for value in values:
                writer.write(value)
    assert list(read_split(str(tmp_path), "eval").as_numpy_iterator()) == [b"0", b"1", b"2"]


def test_a_missing_split_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="Split-test"):
        read_split(str(tmp_path), "test")
