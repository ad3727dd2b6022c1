"""How sure a mean is of new classes or groups, and not only of new episodes of these.

Episodes of the same few classes are not independent: what differs from class to class, no number of
episodes averages out.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.stats

from components.few_shot_evaluator.metrics import Interval

RESAMPLES = 2_000
MIN_UNITS = 5  # of fewer classes or groups, resampling tells nothing

Sums = Mapping[str, Sequence[float]]
"""Of one episode, by class: the sum of a score over its queries, and their number."""


def cluster_interval(episodes: Sequence[Sums], unit_of: Mapping[str, str]) -> Interval | None:
    """The mean score of a query with its 95% half-width by the cluster bootstrap.

    Classes, or the groups that `unit_of` names them by, are drawn with replacement, each with all
    its queries. Half of the interval is the t quantile for that many units times the deviation of
    the resampled means; the seed is fixed. `None` for fewer than `MIN_UNITS` units.

    References: Field and Welsh 2007, "Bootstrapping clustered data" (the cluster bootstrap);
    Cameron, Gelbach and Miller 2008, "Bootstrap-based improvements for inference with clustered
    errors" (few clusters, t quantiles).
    """
    of_unit: dict[str, np.ndarray] = {}
    for episode in episodes:
        for name, sums in episode.items():
            unit = unit_of.get(name, name)
            of_unit[unit] = of_unit.get(unit, 0.0) + np.array(sums, np.float64)
    units = len(of_unit)
    if units < MIN_UNITS:
        return None
    sums, counts = np.transpose([of_unit[unit] for unit in sorted(of_unit)])
    drawn = np.random.default_rng(0).multinomial(units, [1 / units] * units, size=RESAMPLES)
    means = drawn @ sums / (drawn @ counts)
    # Resampling n units shows (n - 1) / n of the variance between them.
    deviation = means.std() * np.sqrt(units / (units - 1))
    half_width = scipy.stats.t.ppf(0.975, units - 1) * deviation
    return Interval(float(sums.sum() / counts.sum()), float(half_width))
