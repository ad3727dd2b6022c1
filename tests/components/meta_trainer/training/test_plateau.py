"""Where meta-training lowers its rate, and stops, by its scores alone."""

import pytest

from components.meta_trainer.training.plateau import count_plateaus


@pytest.mark.parametrize(
    ("scores", "plateaus"),
    [
        ([], 0),
        ([0.5], 0),
        ([0.5, 0.6, 0.7, 0.8], 0),
        ([0.5, 0.5, 0.5], 1),
        ([0.5, 0.6, 0.59, 0.6], 1),
        ([0.5, 0.6, 0.5, 0.7, 0.6], 0),
        ([0.5, 0.509, 0.511], 0),  # two small rises count together
        ([0.5, 0.505, 0.509], 1),  # less than the smallest improvement
        ([0.5, 0.5, 0.5, 0.5], 1),
        ([0.5, 0.5, 0.5, 0.5, 0.5], 2),  # each plateau is counted anew
        ([0.5, 0.5, 0.5, 0.6, 0.5], 1),  # a rise after the first
        ([-3.0, -2.0, -2.0, -2.0], 1),  # an error, negated
    ],
)
def test_two_evaluations_without_an_improvement_of_a_hundredth(scores, plateaus):
    assert count_plateaus(scores, patience=2, min_improvement=0.01) == plateaus
