import dataclasses
import json

import pytest

from components.episodes.record import EpisodeSetRecord, read_record, write_record
from components.modalities.base import ExampleSpec

RECORD = EpisodeSetRecord(
    format_version=1,
    example_spec=ExampleSpec("audio", "float32", (None,)),
    ways=5,
    shots=1,
    queries=15,
    counts={"train": 10, "eval": 5, "test": 5},
    seed=3,
    splits={"train": ["a", "b"], "eval": ["c"], "test": ["d"]},
    groups={"a": "g"},
    config={"data": {"invert": True}, "episodes": {}},
    train_shape=(5, 1, 2),
)


def test_it_comes_back_equal(tmp_path):
    write_record(str(tmp_path), RECORD)
    assert read_record(str(tmp_path)) == RECORD


def test_the_training_split_may_have_a_shape_of_its_own():
    assert RECORD.shape_of("train") == (5, 1, 2)
    assert RECORD.shape_of("test") == (5, 1, 15)


def test_the_hash_sees_a_class_that_moves():
    moved = dataclasses.replace(RECORD, splits={"train": ["a"], "eval": ["b", "c"], "test": ["d"]})
    assert moved.splits_hash != RECORD.splits_hash
    assert dataclasses.replace(RECORD, seed=4).splits_hash == RECORD.splits_hash


def test_class_lists_changed_by_hand_are_refused(tmp_path):
    write_record(str(tmp_path), RECORD)
    path = tmp_path / "episodes.json"
    stored = json.loads(path.read_text())
    stored["splits"]["eval"].append("a")
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="`splits` was changed"):
        read_record(str(tmp_path))
