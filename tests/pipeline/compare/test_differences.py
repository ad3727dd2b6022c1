"""Paired intervals by hand, and when a difference is called real."""

import numpy as np
import pytest

from pipeline.compare.differences import (
    differences,
    level_of_each,
    paired_interval,
    ranked,
    verdict,
)


def test_interval_by_hand():
    """Mean 2, s = 1, n = 3: z / sqrt(3), z = 1.95996 at 95% and 2.57583 at 99%."""
    gains = np.array([1.0, 2.0, 3.0])
    assert paired_interval(gains, 0.95) == pytest.approx((2.0, 1.131586), abs=1e-6)
    assert paired_interval(gains, 0.99) == pytest.approx((2.0, 1.487156), abs=1e-6)


@pytest.mark.parametrize("pairs, level", [(1, 0.95), (3, 1 - 0.05 / 3), (36, 1 - 0.05 / 36)])
def test_pairs_share_the_five_percent(pairs, level):
    assert level_of_each(pairs) == pytest.approx(level)


def test_episodes_are_paired(result):
    """Episodes differ by far more than the learners, who differ by the same on nearly all."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 1, 100)
    other = scores - 0.01 + rng.normal(0, 0.01, 100)
    (found,) = differences([result("worse", other), result("better", scores)])
    assert (found.better, found.worse) == ("better", "worse")
    assert found.real and found.gain.half_width < 0.003
    (shuffled,) = differences([result("worse", rng.permutation(other)), result("better", scores)])
    assert not shuffled.real


def test_more_learners_ask_more_of_a_difference(result):
    """z of the gain is 2.4: beyond 1.96 of one pair, not beyond 2.64 of six."""
    noise = np.tile([1.0, -1.0], 50)
    gain = 2.4 * np.std(noise, ddof=1) / 10
    base, better = result("base", np.zeros(100)), result("better", noise + gain)
    assert differences([base, better])[0].real
    others = [result("other", np.zeros(100)), result("another", np.zeros(100))]
    of_all = differences([base, better, *others])
    assert len(of_all) == 6 and not any(d.real for d in of_all)


def test_learners_that_are_alike_seldom_differ(result):
    """Among nine of the same accuracy some pair is called real in at most 5% of comparisons."""
    rng = np.random.default_rng(0)
    trials = 300
    seen = 0
    for _ in range(trials):
        scores = rng.binomial(25, 0.8, (9, 200)) / 25
        seen += any(d.real for d in differences([result(str(i), s) for i, s in enumerate(scores)]))
    assert seen / trials < 0.07


def test_of_errors_less_is_better(result):
    errors = {"metric": "mean_squared_error", "higher_is_better": False}
    results = [result("far", [2.0, 3.0, 4.0], **errors), result("near", [1.0, 1.5, 3.0], **errors)]
    assert [r.learner for r in ranked(results)] == ["near", "far"]
    (found,) = differences(results)
    assert found.better == "near" and found.gain.mean == pytest.approx(7 / 6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("second", [[2.0, np.inf], [1.0, 2.0], [np.inf, 1.0]])
def test_an_error_without_bound_is_not_real(result, second):
    errors = {"metric": "mean_squared_error", "higher_is_better": False}
    results = [result("one", [1.0, np.inf], **errors), result("two", second, **errors)]
    assert not differences(results)[0].real


def test_the_verdict_names_the_best_alone(result):
    results = [result("low", [0.1, 0.2, 0.1]), result("high", [0.9, 0.9, 0.8])]
    text = verdict(results, differences(results))
    assert text.startswith("high is best") and "every other one" in text


def test_the_verdict_names_rivals_and_the_quickest(result):
    scores = np.random.default_rng(0).uniform(0, 1, (2, 50))
    slow = result("slow", np.sort(scores[0]) + 1e-3, adapt_milliseconds=50.0)
    quick = result("quick", np.sort(scores[0])[::-1], adapt_milliseconds=2.0)
    low = result("low", np.zeros(50), adapt_milliseconds=1.0)
    results = [low, quick, slow]
    text = verdict(results, differences(results))
    assert text.startswith("slow is best")
    assert "do not distinguish it from quick" in text and "quick adapts fastest (2.0 ms)" in text
