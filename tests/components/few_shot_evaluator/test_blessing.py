import numpy as np
import pytest
from pydantic import ValidationError

from components.few_shot_evaluator.blessing import Comparison, decide
from components.few_shot_evaluator.metrics import Interval
from components.few_shot_evaluator.options import EvaluationOptions
from components.tasks.classification import classification
from components.tasks.regression import regression

GOOD = dict(
    score=Interval(0.95, 0.01),
    of_units={"classes": Interval(0.95, 0.02), "groups": None},
    episodes=600,
    protocol="inductive",
    not_finite=0,
    difference=None,
    options=EvaluationOptions(threshold=0.9, tolerance=0.02),
    task=classification(),
)


def test_a_good_model_is_blessed_and_the_reasons_say_what_was_kept():
    verdict = decide(**GOOD)
    assert verdict.blessed
    assert "reaches the threshold 0.9" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        # The mean reaches 0.9 here, its lower bound does not.
        (dict(score=Interval(0.905, 0.01)), "below the threshold"),
        (dict(of_units={"groups": Interval(0.95, 0.06)}), "0.9500 - 0.0600 over groups) is below"),
        (dict(options=EvaluationOptions()), "No threshold"),
        (dict(episodes=599), "Only 599 episodes"),
        (dict(protocol="transductive"), "protocol is transductive"),
        (dict(protocol=None), "not stated"),
        (dict(not_finite=3), "3 queries"),
        (dict(difference=Interval(-0.021, 0.03)), "worse by more than the tolerance"),
    ],
)
def test_one_broken_rule_is_enough_and_is_named(changed, reason):
    verdict = decide(**GOOD | changed)
    assert not verdict.blessed
    assert len(verdict.reasons) == 1
    assert reason in verdict.reasons[0]


def comparison(words, baseline, difference, half_width):
    score = Interval(baseline + difference, 0.01)
    return Comparison(words, score, Interval(baseline, 0.01), Interval(difference, half_width), 600)


def test_it_must_be_ahead_of_each_baseline_beyond_chance():
    ahead, level = comparison("pixels", 0.9, 0.05, 0.01), comparison("HOG", 0.94, 0.01, 0.01)
    verdict = decide(**GOOD | dict(baselines=[ahead]))
    assert verdict.blessed and any("Ahead of pixels: 0.9500 ag" in one for one in verdict.reasons)
    verdict = decide(**GOOD | dict(baselines=[ahead, level]))
    assert not verdict.blessed
    assert verdict.reasons == [
        "Not ahead of HOG: 0.9500 against 0.9400 (difference +0.0100 ± 0.0100)."
    ]
    behind = comparison("colours", 0.96, -0.01, 0.001)
    (reason,) = decide(**GOOD | dict(baselines=[ahead, level, behind])).reasons
    assert reason.startswith("Not ahead of colours") and reason.endswith(", nor of HOG.")
    options = EvaluationOptions(threshold=0.9, must_beat_baselines=False)
    verdict = decide(**GOOD | dict(baselines=[level], options=options))
    assert verdict.blessed and any("It need not be" in one for one in verdict.reasons)


def test_an_error_is_ahead_where_it_is_smaller():
    scores, of_baseline = np.array([0.1, 0.2, 0.1]), np.array([0.5, 0.5, 0.6])
    smaller = Comparison.of("mean", scores, of_baseline)
    options = EvaluationOptions(threshold=0.5)
    kept = GOOD | dict(score=Interval(0.15, 0.01), of_units={}, options=options, task=regression())
    assert decide(**kept | dict(baselines=[smaller])).blessed
    assert not decide(**kept | dict(baselines=[Comparison.of("x", of_baseline, scores)])).blessed
    assert not decide(**kept | dict(baselines=[Comparison.of("x", scores, scores)])).blessed


@pytest.mark.parametrize("difference", [-0.02, 0.0, 0.05])
def test_within_the_tolerance_of_the_last_blessed_model(difference):
    assert decide(**GOOD | dict(difference=Interval(difference, 0.01))).blessed


def test_the_bound_itself_is_enough():
    options = EvaluationOptions(threshold=0.75)
    assert decide(**GOOD | dict(score=Interval(0.875, 0.125), options=options)).blessed


def test_a_nan_accuracy_is_not_blessed():
    assert not decide(**GOOD | dict(score=Interval(float("nan"), float("nan")))).blessed


def test_too_few_episodes_for_a_threshold_is_a_mistake_of_the_configuration():
    rule = r"`evaluation\.episodes` must be at least 600.*got 100"
    with pytest.raises(ValidationError, match=rule):
        EvaluationOptions(threshold=0.9, episodes=100)
    assert EvaluationOptions(episodes=100).threshold is None


@pytest.mark.parametrize(
    "wrong", [dict(threshold="0.9"), dict(threshold=-0.5), dict(treshold=0.9), dict(episodes=600.5)]
)
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValidationError):
        EvaluationOptions(**wrong)


@pytest.mark.parametrize(
    ("error", "difference", "blessed", "reason"),
    [
        (
            Interval(0.15, 0.02),
            None,
            True,
            "upper bound 0.1700 (mean squared error 0.1500 + 0.0200 over episodes)",
        ),
        (Interval(0.19, 0.02), None, False, "is above the threshold 0.2"),
        (Interval(0.15, 0.02), Interval(0.03, 0.0), False, "worse by more than the tolerance"),
        (Interval(0.15, 0.02), Interval(-0.03, 0.0), True, "is within the threshold 0.2"),
    ],
)
def test_of_an_error_less_is_better(error, difference, blessed, reason):
    options = EvaluationOptions(threshold=0.2, tolerance=0.02)
    kept = GOOD | dict(of_units={}, options=options, task=regression())
    verdict = decide(**kept | dict(score=error, difference=difference))
    assert verdict.blessed == blessed
    assert reason in " ".join(verdict.reasons)
