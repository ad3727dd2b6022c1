"""What mirroring and affine maps keep: the class's images alike, shapes, dtypes and labels."""

import numpy as np
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.augmentation.image import (
    mirror_classes,
    rotate_classes,
    transform_classes,
)

SEED = tf.constant([1, 2], tf.int64)
WAYS = 4


def episodes(count: int = 6, size: int = 15) -> Episodes:
    """Two equal images of each class: a block beside the middle, on 40."""
    image = np.full((size, size, 1), 40, np.uint8)
    image[6:9, 9:12] = 200
    x = np.broadcast_to(image, (count, 2 * WAYS, size, size, 1))
    y = tf.constant(np.tile(np.repeat(np.arange(WAYS), 2), (count, 1)), tf.int32)
    return Episodes(tf.constant(x), y, tf.constant(x), y)


def different_images(size: int = 3, colours: int = 2) -> Episodes:
    """No two images or pixels alike; two of each class in both sets."""
    count = 3 * 2 * WAYS * size * size * colours
    x = np.random.default_rng(0).permutation(count).reshape(3, 2 * WAYS, size, size, colours)
    y = tf.constant(np.tile(np.repeat(np.arange(WAYS), 2), (3, 1)), tf.int32)
    return Episodes(tf.constant(x), y, tf.constant(x[:, ::-1].copy()), y[:, ::-1])


def test_rotation_turns_whole_classes_by_right_angles():
    plain = different_images()
    turned = rotate_classes(plain, WAYS, SEED)
    turn_of_class: dict[tuple[int, int], int] = {}
    for before, after, y in (
        (plain.support_x, turned.support_x, plain.support_y),
        (plain.query_x, turned.query_x, plain.query_y),
    ):
        for place in np.ndindex(*y.shape):
            image, found = before.numpy()[place], after.numpy()[place]
            (turn,) = (k for k in range(4) if (np.rot90(image, k) == found).all())
            assert turn_of_class.setdefault((place[0], int(y[place])), turn) == turn
    assert set(turn_of_class.values()) == {0, 1, 2, 3}


def test_a_class_is_mirrored_as_one_and_some_classes_are_not():
    plain = episodes()
    mirrored = mirror_classes(plain, WAYS, SEED)
    changed = (mirrored.support_x != plain.support_x).numpy().any(axis=(2, 3, 4))
    assert (changed[:, ::2] == changed[:, 1::2]).all() and changed.any() and not changed.all()
    assert (mirrored.support_x.numpy() == mirrored.query_x.numpy()).all()
    back = mirror_classes(mirrored, WAYS, SEED)
    assert (back.query_x.numpy() == plain.query_x.numpy()).all()


def test_transformed_images_of_a_class_are_closer_than_those_of_different_classes():
    moved = transform_classes(episodes(count=40), 0.3, WAYS, SEED).support_x.numpy().astype(float)
    pairs = moved.reshape(40, WAYS, 2, -1)
    same = np.abs(pairs[:, :, 0] - pairs[:, :, 1]).mean()
    other = np.abs(pairs[:, :-1, 0] - pairs[:, 1:, 0]).mean()
    assert 0 < same < 0.9 * other


def test_a_map_keeps_the_middle_the_background_and_the_dtype():
    plain = episodes()
    moved = transform_classes(plain, 0.3, WAYS, SEED)
    assert moved.query_x.dtype == tf.uint8 and moved.query_x.shape == plain.query_x.shape
    assert np.abs(moved.query_x.numpy()[:, :, 7, 7].astype(int) - 40).max() <= 1
    assert moved.query_x.numpy().min() >= 39  # whole numbers are cut, not rounded


def test_no_map_changes_nothing():
    plain = episodes()
    assert (
        transform_classes(plain, 0.0, WAYS, SEED).support_x.numpy() == plain.support_x.numpy()
    ).all()
