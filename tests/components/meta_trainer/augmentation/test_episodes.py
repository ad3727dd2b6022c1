"""Varied episodes stay episodes: same classes, same counts, no example in both sets."""

import numpy as np
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.augmentation.episodes import permute_labels, regroup

SEED = tf.constant([1, 2], tf.int64)


def numbered_episodes(ways: int = 4, shots: int = 2, queries: int = 3) -> Episodes:
    """Example i of class c is a 2 x 2 image of the numbers 100 c + 10 i + (0..3)."""
    per_class = shots + queries
    x = np.arange(ways)[:, None] * 100 + np.arange(per_class)[None, :] * 10
    x = np.stack([x, x + 400])[..., None] + np.arange(4)
    y = np.broadcast_to(np.arange(ways)[:, None], (2, ways, per_class))

    def part(start: int, stop: int):
        images = x[:, :, start:stop].reshape(2, -1, 2, 2, 1)
        labels = y[:, :, start:stop].reshape(2, -1)
        return tf.constant(images, tf.int32), tf.constant(labels, tf.int32)

    return Episodes(*part(0, shots), *part(shots, per_class))


def class_of(x: tf.Tensor) -> np.ndarray:
    return x.numpy().reshape(2, x.shape[1], -1).min(axis=-1) % 400 // 100


def test_permuted_labels_rename_whole_classes():
    episodes = numbered_episodes()
    varied = permute_labels(episodes, 4, SEED)
    for episode in range(2):
        names = {}
        for x, y in ((varied.support_x, varied.support_y), (varied.query_x, varied.query_y)):
            for cls, label in zip(class_of(x)[episode], y.numpy()[episode]):
                assert names.setdefault(cls, label) == label
        assert sorted(names.values()) == [0, 1, 2, 3]


def test_permuted_labels_keep_padding():
    episodes = numbered_episodes()
    padded = episodes._replace(support_y=tf.where(episodes.support_y == 1, -1, episodes.support_y))
    varied = permute_labels(padded, 4, SEED)
    np.testing.assert_array_equal(varied.support_y == -1, padded.support_y == -1)


def test_regrouped_examples_keep_class_and_are_in_one_set_only():
    episodes = numbered_episodes()
    varied = regroup(episodes, SEED)
    np.testing.assert_array_equal(class_of(varied.support_x), episodes.support_y)
    np.testing.assert_array_equal(class_of(varied.query_x), episodes.query_y)
    before = tf.concat([episodes.support_x, episodes.query_x], axis=1).numpy()[..., 0, 0, 0]
    after = tf.concat([varied.support_x, varied.query_x], axis=1).numpy()[..., 0, 0, 0]
    np.testing.assert_array_equal(np.sort(before), np.sort(after))
    assert (varied.support_x.numpy() != episodes.support_x.numpy()).any()


def test_recordings_of_different_lengths_can_be_regrouped():
    """None is lost, cut or in both sets."""
    rng = np.random.default_rng(0)
    support, query = (rng.random((2, 4, size)).astype(np.float32) for size in (5, 9))
    y = tf.constant(np.tile([0, 0, 1, 1], (2, 1)), tf.int32)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None])] * 2)
    def regrouped(support_x, query_x):
        return regroup(Episodes(support_x, y, query_x, y), SEED)

    mixed = regrouped(support, query)
    assert mixed.support_x.shape == mixed.query_x.shape == (2, 4, 9)
    for episode in range(2):
        before = [*support[episode], *query[episode]]
        after = np.concatenate([mixed.support_x[episode], mixed.query_x[episode]])
        assert np.allclose(sorted(x.sum() for x in before), sorted(after.sum(axis=1)))


def test_regrouped_regression_keeps_pairs_together():
    x = np.arange(10, dtype=np.float32).reshape(1, 10, 1)
    pairs = Episodes(*map(tf.constant, (x[:, :4], -x[:, :4], x[:, 4:], -x[:, 4:])))
    varied = regroup(pairs, SEED)
    np.testing.assert_array_equal(varied.support_y, -varied.support_x)
    np.testing.assert_array_equal(varied.query_y, -varied.query_x)
    after = np.concatenate([varied.support_x, varied.query_x], axis=1).ravel()
    assert sorted(after) == list(range(10)) and varied.support_x.shape[1] == 4
    assert set(varied.support_x.numpy().ravel()) != {0, 1, 2, 3}
