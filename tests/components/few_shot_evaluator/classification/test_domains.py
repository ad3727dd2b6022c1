"""Accuracy by group, and when and how the drop to new domains is told."""

from types import SimpleNamespace

import numpy as np
import pytest

from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.classification.domains import (
    accuracy_of_groups,
    drop,
    has_new_domains,
    per_group,
)
from components.few_shot_evaluator.classification.summary import _within_domain
from components.few_shot_evaluator.clusters import cluster_interval
from components.modalities.base import ExampleSpec

GROUPS = {"alef": "hebrew", "bet": "hebrew", "alpha": "greek"}


def record(**splits: list[str]) -> EpisodeSetRecord:
    groups = {name: name.partition("/")[0] for names in splits.values() for name in names}
    return EpisodeSetRecord(
        1, ExampleSpec("image", "uint8", (4, 4, 1)), 2, 1, 1, {}, 0, splits, groups, {}
    )


def test_queries_count_for_the_group_of_their_class_and_padding_for_none():
    labels = np.array([0, 0, 1, 2, 2, -1])
    right = np.array([True, False, True, True, True, False])
    found = accuracy_of_groups(["alef", "alpha", "bet@90"], labels, right, GROUPS)
    assert found == {"greek": 1.0, "hebrew": 0.75}


def test_a_class_without_a_group_counts_for_none():
    assert accuracy_of_groups(["other"], np.array([0]), np.array([True]), GROUPS) == {}


def test_means_are_over_the_episodes_that_hold_the_group():
    found = per_group([{"a": 1.0}, {"a": 0.5, "b": 1.0}, {}])
    assert found["a"]["accuracy"] == 0.75 and found["a"]["episodes"] == 2
    assert found["b"] == {"accuracy": 1.0, "ci95": None, "episodes": 1}


def test_the_drop_is_the_difference_of_the_means_and_its_variances_add():
    told = drop([0.9, 1.0, 0.8, 0.9], [0.6, 0.8, 0.7, 0.7])
    assert told["drop"] == pytest.approx(0.2) and told["accuracy"] == pytest.approx(0.9)
    assert told["drop_ci95"] == pytest.approx(told["ci95"] * 2**0.5, abs=1e-5)


@pytest.mark.parametrize(
    ("splits", "told"),
    [
        ({"train": ["a/1", "b/1"], "eval": ["a/2"], "test": ["c/1"]}, True),
        ({"train": ["a/1", "b/1"], "eval": ["d/1"], "test": ["c/1"]}, False),
        ({"train": ["a/1", "b/1"], "eval": ["a/2"], "test": ["a/3"]}, False),
        ({"train": ["a/1"], "eval": [], "test": ["c/1"]}, False),
    ],
)
def test_a_drop_is_told_only_where_eval_is_within_and_test_is_not(splits, told):
    assert has_new_domains(record(**splits)) is told


def test_the_interval_of_a_drop_over_classes_is_of_both_splits():
    def results(mean: float) -> list:
        sums = [{f"{mean}/{c}": [mean * 10 + c - 3, 10.0] for c in range(7)} for _ in range(2)]
        return [SimpleNamespace(score=mean, groups={}, classes=one) for one in sums]

    known, new = results(0.6), results(0.4)
    told = _within_domain(known, new)
    one = cluster_interval([result.classes for result in known], {}).half_width
    assert one > 0.05 and told["ci95_by_class"] == pytest.approx(one, abs=1e-6)
    assert told["drop_ci95_by_class"] == pytest.approx(one * 2**0.5, rel=0.2)
    few = [SimpleNamespace(score=1.0, groups={}, classes={"a": [1.0, 1.0]})] * 2
    assert _within_domain(few, new)["drop_ci95_by_class"] is None
