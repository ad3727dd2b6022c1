"""From energies to shares of queries, and the threshold with the most right answers."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.export.none_score import (
    QUANTILES,
    NoneScale,
    choose_threshold,
    fit_none_scale,
    none_score,
)
from components.tasks.classification import ABSENT


def logits_of(energies) -> np.ndarray:
    """Logits `[n, 2]` with these energies: one class with support."""
    return np.stack([-np.asarray(energies), np.full(len(energies), ABSENT)], axis=-1)


def test_one_in_ten_of_the_queries_of_a_class_scores_above_09():
    rng = np.random.default_rng(0)
    inside, outside = rng.gamma(2.0, size=5000), rng.gamma(9.0, size=1000)
    labels = np.repeat([0, 1], [5000, 1000])
    scale = fit_none_scale(logits_of(np.append(inside, outside)), labels, 1.0)
    scores = none_score(tf.constant(logits_of(inside), tf.float32), 1.0, scale).numpy()
    assert (scores > 0.9).mean() == pytest.approx(0.1, abs=0.002)
    assert (scores > 0.3).mean() == pytest.approx(0.7, abs=0.002)
    assert (np.diff(scores[inside.argsort()]) >= 0).all()


def test_the_graph_interpolates_as_numpy_does():
    rng = np.random.default_rng(1)
    steps = np.where(rng.random(QUANTILES) < 0.3, 0.0, rng.random(QUANTILES))  # some are equal
    energies = np.cumsum(steps).astype(np.float32)
    values = rng.uniform(-2, energies[-1] + 2, 500).astype(np.float32)
    found = none_score(tf.constant(logits_of(values), tf.float32), 1.0, NoneScale(energies, 0.5))
    wanted = np.interp(values, energies, np.linspace(0, 1, QUANTILES))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_equal_energies_all_of_them():
    scale = NoneScale((2.0,) * QUANTILES, 0.5)
    scores = none_score(tf.constant(logits_of([1.0, 3.0]), tf.float32), 1.0, scale).numpy()
    assert scores.tolist() == [0.0, 1.0]


def test_no_threshold_gives_more_right_answers():
    rng = np.random.default_rng(2)
    outside = rng.random(300) < 0.3
    scores = np.round(rng.random(300) * np.where(outside, 1.0, 0.8), 2)
    right = ~outside & (rng.random(300) < 0.8)

    def count(threshold: float) -> int:
        none = scores > threshold
        return int(np.where(none, outside, right).sum())

    best = max(count(threshold) for threshold in np.linspace(-0.01, 1.0, 2000))
    assert count(choose_threshold(scores, outside, right)) == best


def test_no_query_is_refused_where_that_never_helps():
    assert choose_threshold(np.array([0.9, 0.1]), np.zeros(2, bool), np.ones(2, bool)) == 1.0
