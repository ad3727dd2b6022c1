import dataclasses

import numpy as np
import pytest

from components.episode_validator.checks import check_episode, check_splits
from components.episodes import EpisodeShape
from components.episodes.format import Episode
from components.episodes.record import EpisodeSetRecord
from components.modalities.base import ExampleSpec

SHAPE = EpisodeShape(ways=2, shots=1, queries=2)
CLASSES = frozenset({"a", "b", "c"})
SOUND = Episode(
    index=0,
    support_x=[b"0", b"1"],
    support_y=np.array([0, 1], np.int32),
    query_x=[b"2", b"3", b"4", b"5"],
    query_y=np.array([1, 0, 0, 1], np.int32),
    class_names=["b", "a@90"],
    example_ids=["b/0", "a/0", "a/1", "b/1", "b/2", "a/2"],
)


def violations(rotated: bool = True, **changes) -> list[str]:
    episode = dataclasses.replace(SOUND, **changes)
    return list(check_episode(episode, SHAPE, CLASSES, rotated=rotated, size=1))


def test_a_sound_episode_breaks_no_rule():
    assert violations() == []


def labels(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"support_y": labels(0, 0)}, "has 2 support examples of label 0, not 1"),
        ({"support_y": labels(0, 0)}, "has 0 support examples of label 1, not 1"),
        ({"query_y": labels(1, 0, 0, 0)}, "has 1 query examples of label 1, not 2"),
        ({"query_y": labels(1, 0, 0, 2)}, "has query label 2, which is not in 0..1"),
        ({"query_x": SOUND.query_x[:3]}, "has 3 query examples and 4 query labels"),
        ({"support_x": [b"0", b"11"]}, "has a support example of 2 bytes, not 1"),
        ({"class_names": ["b", "b@180"]}, "has class 'b' 2 times"),
        ({"class_names": ["b", "z"]}, "has class 'z', which is not in its split"),
        ({"class_names": ["b", "a", "c"]}, "has 3 classes, not 2"),
        (
            {"example_ids": ["b/0", "a/0", "a/1", "b/0", "b/2", "a/2"]},
            "has example 'b/0' in both support and query",
        ),
        (
            {"example_ids": ["b/0", "a/0", "a/1", "b/1", "b/1", "a/2"]},
            "has example 'b/1' 2 times",
        ),
        ({"example_ids": ["b/0"]}, "has 1 example ids, not one for each example"),
    ],
)
def test_each_broken_rule_is_named(changes, sentence):
    assert sentence in violations(**changes)


def test_a_rotated_class_is_unknown_where_nothing_is_rotated():
    assert violations(rotated=False) == ["has class 'a@90', which is not in its split"]


def record(
    splits: dict,
    groups: dict | None = None,
    split_by: str = "class",
    eval_within_groups: bool = False,
) -> EpisodeSetRecord:
    return EpisodeSetRecord(
        format_version=1,
        example_spec=ExampleSpec("image", "uint8", (4, 4, 1)),
        ways=2,
        shots=1,
        queries=2,
        counts={},
        seed=0,
        splits=splits,
        groups=groups or {},
        config={},
        split_by=split_by,
        eval_within_groups=eval_within_groups,
    )


def test_a_class_in_two_splits_is_named():
    shared = record({"train": ["a", "b"], "eval": ["c"], "test": ["b"]})
    assert list(check_splits(shared)) == ["class 'b' is in two splits, train and test"]


def test_a_group_in_two_splits_matters_only_where_groups_are_split():
    splits, groups = {"train": ["a"], "eval": ["b"], "test": []}, {"a": "g", "b": "g"}
    assert list(check_splits(record(splits, groups))) == []
    assert list(check_splits(record(splits, groups, "group"))) == [
        "group 'g' is in two splits, train and eval"
    ]


def test_eval_may_share_groups_with_train_where_it_is_taken_from_them_and_test_never():
    splits, groups = {"train": ["a"], "eval": ["b"], "test": ["c"]}, {"a": "g", "b": "g", "c": "h"}
    assert list(check_splits(record(splits, groups, "group", True))) == []
    assert list(check_splits(record(splits, groups | {"c": "g"}, "group", True))) == [
        "group 'g' is in two splits, eval and test"
    ]
    twice = splits | {"eval": ["a"]}
    assert list(check_splits(record(twice, groups, "group", True))) == [
        "class 'a' is in two splits, train and eval"
    ]
