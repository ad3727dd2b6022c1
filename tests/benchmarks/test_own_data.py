"""The data sets that are generated, and what the table says of a model that is not ahead."""

import itertools

import numpy as np
import pytest

from benchmarks.own_data import generated
from benchmarks.own_data.table import table


@pytest.mark.parametrize("make", [generated.faces, generated.textures, generated.sounds])
def test_generated_classes_repeat_and_differ(make):
    first, again = ([*itertools.islice(make(), 30)] for _ in range(2))
    assert all(a == b and np.array_equal(x, y) for (a, x), (b, y) in zip(first, again))
    assert len({name for name, _ in first}) >= 2
    assert not np.array_equal(first[0][1], first[1][1])


@pytest.mark.parametrize(
    ("gain", "of_each", "words"),
    [
        (0.02, True, "| ahead |"),
        (0.02, False, "| level: not blessed |"),
        (0.005, False, "| level: not blessed |"),
        (-0.02, False, "| behind: not blessed |"),
    ],
)
def test_the_table_says_where_a_script_is_not_beaten(gain, of_each, words):
    measured = {
        "learner": {"name": "r2d2", "backbone": {"name": "conv4", "descriptors": "image"}},
        "ways": 5,
        "shots": 5,
        "baseline": "edges_logistic",
        "baseline_accuracy": [0.9, 0.01],
        "accuracy": [0.9 + gain, 0.01],
        "ahead": [gain, 0.01],
        "ahead_of_each": of_each,
        "meta_steps": 100,
        "training_seconds": 60,
        "commit": "0c47262",
    }
    shown = table({"data_sets": {"faces": measured}})
    assert words in shown and "edges logistic" in shown and "r2d2, conv4 + descriptors" in shown
