"""Probabilities before the temperature, and what it does to the errors."""

import types

import numpy as np
import pytest
from scipy.special import softmax

from components.few_shot_evaluator.classification.temperature import (
    effect,
    log_losses,
    uncalibrate,
)


def test_the_probabilities_before_are_found_from_those_after():
    logits = np.random.default_rng(0).normal(scale=5, size=(2, 7, 4)).astype(np.float32)
    after = softmax(logits / 2.5, axis=-1)
    np.testing.assert_allclose(uncalibrate(after, 2.5), softmax(logits, axis=-1), atol=1e-5)


def test_a_class_without_support_keeps_probability_0():
    before = uncalibrate(np.array([[0.5, 0.5, 0.0]]), 0.1)
    assert before.tolist() == [[0.5, 0.5, 0.0]]


def test_log_losses_by_hand_and_never_infinite():
    probabilities = np.array([[0.25, 0.75], [1.0, 0.0], [np.nan, np.nan]])
    losses = log_losses(probabilities, np.array([0, 1, 0]))
    assert losses[0] == pytest.approx(np.log(4)) and np.isfinite(losses).all()
    assert losses[1] == losses[2] > 80


def test_both_errors_with_and_without_the_temperature():
    result = types.SimpleNamespace(
        labels=[0, 1],
        predictions=[0, 0],
        confidences=[0.5, 0.5],
        log_losses=[0.7, 0.7],
        uncalibrated={"confidences": [0.9, 0.9], "log_losses": [0.1, 2.3]},
    )
    found = effect([result, result], 2.0, bins=10)
    assert (found["temperature"], found["log_loss"]) == (2.0, 0.7)
    assert found["expected_calibration_error"] == 0 and len(found["bins"]) == 10
    assert found["uncalibrated"] == {"log_loss": 1.2, "expected_calibration_error": 0.4}
