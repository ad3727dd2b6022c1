"""Leaving a class out, the threshold, and what it is worth."""

import numpy as np
import pytest

from components.few_shot_evaluator.classification.none_of_these import (
    OpenSet,
    accuracy_curve,
    auroc,
    choose_threshold,
    evaluate,
    join,
    rate_threshold,
)
from components.tasks.classification import leave_one_out


def open_set(confidences, outside, right=None) -> OpenSet:
    outside = np.array(outside, bool)
    return OpenSet(
        np.array(confidences), outside, ~outside if right is None else np.array(right, bool)
    )


def test_episodes_take_turns_in_the_class_left_out():
    y = np.array([[0, 1, 2, -1], [0, 1, 2, 2]])
    labels, left_out = leave_one_out(y, np.array([4, 5]), ways=3)
    assert left_out.tolist() == [1, 2]
    assert labels.tolist() == [[0, -1, 2, -1], [0, 1, -1, -1]]


def test_what_can_be_rating_apart_is():
    found = open_set([0.9, 0.3, 0.8, 0.4], [0, 1, 0, 1])
    threshold = choose_threshold(found)
    assert 0.4 < threshold < 0.8
    rating = rate_threshold(found, threshold)
    assert rating["precision"] == rating["recall"] == rating["f1"] == rating["accuracy"] == 1.0


def test_the_threshold_has_the_best_f1_of_all():
    rng = np.random.default_rng(0)
    outside = rng.random(200) < 0.2
    found = open_set(np.round(rng.random(200) * np.where(outside, 0.7, 1.0), 2), outside)
    best = max(rate_threshold(found, t)["f1"] for t in np.linspace(0, 1.01, 500))
    assert rate_threshold(found, choose_threshold(found))["f1"] == pytest.approx(best, abs=1e-6)


def test_equal_confidences_get_the_same_answer():
    # The best would be between the first and the second; they are equal.
    threshold = choose_threshold(open_set([0.5, 0.5, 0.5, 0.9, 0.9], [1, 0, 0, 0, 0]))
    assert threshold == pytest.approx(0.7)


def test_precision_recall_and_accuracy_by_hand():
    found = open_set([0.2, 0.3, 0.6, 0.9, 0.95], [1, 0, 1, 0, 0], right=[0, 1, 0, 1, 0])
    rating = rate_threshold(found, 0.5)
    assert rating["precision"] == 0.5 and rating["recall"] == 0.5 and rating["queries"] == 5
    assert rating["refused"] == pytest.approx(1 / 3, abs=1e-6)
    assert rating["accuracy"] == 0.4  # the first (none) and the fourth


def test_nothing_outside_is_no_division_by_zero():
    rating = rate_threshold(open_set([0.9, 0.8], [0, 0]), 0.5)
    assert rating["precision"] == 0.0 and rating["recall"] == 0.0 and rating["accuracy"] == 1.0


def test_episodes_are_joined():
    one = {"familiarity": [0.1], "outside": [True], "right": [False]}
    two = {"familiarity": [0.2, 0.3], "outside": [False, True], "right": [True, False]}
    assert join([one, two], "familiarity").outside.tolist() == [True, False, True]


def test_auroc_by_hand():
    assert auroc(open_set([0.1, 0.2, 0.3, 0.3], [1, 0, 1, 0])) == pytest.approx((2 + 0.5) / 4)


def test_the_curve_goes_from_no_query_refused_to_nearly_all():
    rng = np.random.default_rng(0)
    outside = rng.random(2000) < 0.2
    found = open_set(rng.random(2000) * np.where(outside, 0.5, 1.0), outside)
    curve = accuracy_curve(found)
    assert curve[0] == {"refused": 0.0, "accuracy": pytest.approx(0.8, abs=0.03)}
    assert curve[-1]["refused"] > 0.99 and curve[-1]["accuracy"] < 0.25
    assert [row["refused"] for row in curve] == sorted(row["refused"] for row in curve)


OPEN = {"outside": [True, False, False], "right": [False, True, True]}


def test_the_models_own_threshold_is_rated_beside_the_largest_probability():
    values = OPEN | {"familiarity": [0.1, 0.3, 0.9], "largest_probability": [0.9, 0.8, 0.7]}
    found = evaluate([values], [values], none_threshold=0.8)
    assert (found["score"], found["threshold"], found["accuracy"]) == ("none_score", 0.2, 1.0)
    assert found["by_largest_probability"]["accuracy"] < 1.0


def test_a_model_without_the_score_is_rated_by_its_largest_probability():
    values = OPEN | {"largest_probability": [0.4, 0.6, 0.9]}
    found = evaluate([values], [values], none_threshold=None)
    assert (found["score"], found["threshold"]) == ("largest_probability", 0.5)
    assert found["accuracy"] == 1.0 and "by_largest_probability" not in found
