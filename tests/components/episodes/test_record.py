import dataclasses
import json

import pytest

from components.episodes.record import EpisodeSetRecord, read_record, write_record
from components.modalities.base import ExampleSpec
from serving.errors import UserError

RECORD = EpisodeSetRecord(
    format_version=2,
    example_spec=ExampleSpec("audio", "float32", (None,), max_seconds=1.5),
    ways=5,
    shots=1,
    queries=15,
    counts={"train": 10, "eval": 5, "test": 5},
    seed=3,
    splits={"train": ["a", "b"], "eval": ["c"], "test": ["d"]},
    groups={"a": "g"},
    config={"data": {"max_seconds": 1.5}, "episodes": {}},
    train_shape=(5, 1, 2),
    split_by="group",
    rotated_splits=("train",),
)

VERSION_1 = {
    "format_version": 1,
    "example_spec": {"modality": "image", "dtype": "uint8", "shape": [28, 28, 1]},
    "ways": 5,
    "shots": 1,
    "queries": 15,
    "counts": {"train": 10, "eval": 5, "test": 5},
    "seed": 3,
    "splits": {"train": ["a", "b"], "eval": ["c"], "test": ["d"]},
    "groups": {"a": "g"},
    "config": {
        "data": {"invert": True, "max_seconds": 4.0, "split_by": "group", "eval_within": 0.2},
        "episodes": {"rotations": "all"},
    },
    "train_shape": None,
    "splits_hash": RECORD.splits_hash,
}


def test_it_comes_back_equal(tmp_path):
    write_record(str(tmp_path), RECORD)
    assert read_record(str(tmp_path)) == RECORD


def test_version_1_is_read_and_says_in_its_configuration_what_version_2_has_fields_for(tmp_path):
    (tmp_path / "episodes.json").write_text(json.dumps(VERSION_1))
    record = read_record(str(tmp_path))
    assert record.format_version == 2
    assert record.example_spec == ExampleSpec(
        "image", "uint8", (28, 28, 1), invert=True, max_seconds=4.0
    )
    assert (record.split_by, record.eval_within_groups) == ("group", True)
    assert record.rotated_splits == ("train", "eval", "test")


def test_version_1_of_a_bare_configuration_has_the_defaults_of_its_time(tmp_path):
    (tmp_path / "episodes.json").write_text(json.dumps(VERSION_1 | {"config": {}}))
    record = read_record(str(tmp_path))
    assert (record.example_spec.invert, record.example_spec.max_seconds) == (False, 10.0)
    assert (record.split_by, record.rotated_splits) == ("class", ())
    assert not record.eval_within_groups


@pytest.mark.parametrize("version", [3, "2", None])
def test_another_version_is_refused_in_a_sentence(tmp_path, version):
    path = tmp_path / "episodes.json"
    path.write_text(json.dumps(RECORD.to_json() | {"format_version": version}))
    message = rf"{path} must be of format version 1 or 2: it is of version {version!r}\. Draw "
    with pytest.raises(UserError, match=message):
        read_record(str(tmp_path))


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
