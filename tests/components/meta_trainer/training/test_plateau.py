"""Where meta-training lowers its rate, and stops, by its scores alone."""

import pytest

from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training.plateau import best_entry, rate_phases


@pytest.mark.parametrize(
    ("scores", "firsts"),
    [
        ([], [0]),
        ([0.5], [0]),
        ([0.5, 0.6, 0.7, 0.8], [0]),
        ([0.5, 0.5, 0.5], [0, 3]),
        ([0.5, 0.5, 0.5, 0.5, 0.5], [0, 3]),
        ([0.5, 0.5, 0.5, 0.4, 0.4, 0.4], [0, 3, 6]),  # scores of a rate are compared with its own
        ([0.5, 0.6, 0.59, 0.6], [0, 4]),
        ([0.5, 0.6, 0.5, 0.7, 0.6], [0]),
        ([0.5, 0.509, 0.511], [0]),  # two small rises count together
        ([0.5, 0.505, 0.509], [0, 3]),  # less than the smallest improvement
        ([-3.0, -2.0, -2.0, -2.0], [0, 4]),  # an error, negated
    ],
)
def test_two_evaluations_without_an_improvement_of_a_hundredth(scores, firsts):
    assert rate_phases(scores, patience=2, min_improvement=0.01) == firsts


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([0.5], 0),
        ([0.5, 0.6, 0.55], 1),
        ([0.5, 0.6, 0.55, 0.55, 0.595, 0.594], 4),  # as good as, at a lower rate
        ([0.5, 0.6, 0.55, 0.55, 0.58, 0.57], 1),  # worse by more than the smallest improvement
    ],
)
def test_the_best_weights_at_the_lowest_rate_are_kept_unless_they_are_worse(scores, kept):
    options = TrainingOptions(until="plateau", patience=2, min_improvement=0.01)
    history = [{"step": step, "eval_score": score} for step, score in enumerate(scores)]
    assert best_entry(history, options)["step"] == kept
