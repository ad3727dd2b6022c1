"""Intervals over classes and groups."""

import numpy as np
import pytest
import scipy.stats

from components.few_shot_evaluator.clusters import MIN_UNITS, cluster_interval


def episodes(rates: np.ndarray, *, number: int, seed: int = 0) -> list[dict[str, list[float]]]:
    """Episodes of three classes each, ten queries a class, of which a class has its rate right."""
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(len(rates), 3, replace=False) for _ in range(number)]
    return [{f"c{c}": [float(rng.binomial(10, rates[c])), 10.0] for c in of} for of in drawn]


def test_it_is_as_wide_as_classes_differ_however_many_episodes_there_are():
    rates = np.random.default_rng(1).uniform(0.4, 1.0, 30)
    expected = scipy.stats.t.ppf(0.975, 29) * rates.std(ddof=1) / np.sqrt(30)
    widths = [cluster_interval(episodes(rates, number=n), {}).half_width for n in (400, 1600)]
    assert widths == pytest.approx([expected, expected], rel=0.15)


def test_it_is_the_same_each_time_and_in_any_order():
    some = episodes(np.linspace(0.5, 0.9, 8), number=50)
    assert cluster_interval(some, {}) == cluster_interval(some[::-1], {})


def test_it_covers_the_mean_of_new_classes():
    rng, within = np.random.default_rng(2), 0
    for _ in range(200):
        units = {str(i): [10 * rng.beta(7, 3), 10.0] for i in range(12)}
        interval = cluster_interval([units], {})
        within += abs(interval.mean - 0.7) <= interval.half_width
    assert 180 <= within <= 198


def test_groups_are_units_where_classes_have_them_and_few_tell_nothing():
    some = episodes(np.linspace(0.5, 0.9, 3 * MIN_UNITS), number=50)
    pairs = {f"c{i}": f"g{i // 3}" for i in range(3 * MIN_UNITS)}
    by_group, by_class = cluster_interval(some, pairs), cluster_interval(some, {})
    assert by_group.mean == pytest.approx(by_class.mean) and by_group.half_width > 0
    fewer = {name: f"g{int(group[1]) % (MIN_UNITS - 1)}" for name, group in pairs.items()}
    assert cluster_interval(some, fewer) is None
