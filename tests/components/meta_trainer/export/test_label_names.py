"""Labels as strings become indices that do not depend on the order of the support set."""

import numpy as np
import tensorflow as tf

from components.meta_trainer.export.label_names import label_indices


def test_indices_name_their_labels():
    labels = tf.constant([["b", "a", "", "b", "c"], ["x", "x", "x", "", "y"]])
    indices, names, counts = label_indices(labels, 4)
    np.testing.assert_array_equal(counts, [3, 2])
    for episode in range(2):
        for label, index in zip(labels.numpy()[episode], indices.numpy()[episode]):
            assert index == -1 if label == b"" else names.numpy()[episode, index] == label
        assert set(names.numpy()[episode][counts[episode] :]) <= {b""}


def test_order_of_the_support_set_changes_no_index():
    labels = np.array([["d", "a", "c", "b", "a", "d"]])
    order = np.array([3, 1, 5, 0, 4, 2])
    straight, names, _ = label_indices(tf.constant(labels), 4)
    mixed, mixed_names, _ = label_indices(tf.constant(labels[:, order]), 4)
    np.testing.assert_array_equal(names, mixed_names)
    np.testing.assert_array_equal(straight.numpy()[:, order], mixed)


def test_without_ways_there_are_as_many_names_as_classes():
    _, names, _ = label_indices(tf.constant([["a", "b", "a"], ["c", "c", ""]]), None)
    assert names.shape == (2, 2)
