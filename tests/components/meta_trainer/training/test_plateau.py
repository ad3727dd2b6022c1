"""Where meta-training stops by its scores alone."""

import pytest

from components.meta_trainer.training.plateau import is_plateau


@pytest.mark.parametrize(
    ("scores", "stops"),
    [
        ([], False),
        ([0.5], False),
        ([0.5, 0.6, 0.7, 0.8], False),
        ([0.5, 0.5, 0.5], True),
        ([0.5, 0.6, 0.59, 0.6], True),
        ([0.5, 0.6, 0.5, 0.7, 0.6], False),
        ([0.5, 0.509, 0.511], False),  # two small rises count together
        ([0.5, 0.505, 0.509], True),  # less than the smallest improvement
        ([-3.0, -2.0, -2.0, -2.0], True),  # an error, negated
    ],
)
def test_two_evaluations_without_an_improvement_of_a_hundredth(scores, stops):
    assert is_plateau(scores, patience=2, min_improvement=0.01) == stops
