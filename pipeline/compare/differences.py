"""Which differences of the trials are real: paired intervals over the same test episodes."""

import itertools
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from components.few_shot_evaluator.metrics import Interval, mean_interval
from pipeline.compare.trial import Result

CONFIDENCE = 0.95
"""The probability that the intervals of all pairs hold together."""


class Difference(NamedTuple):
    """The difference of two trials, episode by episode."""

    better: str  # name of a trial
    worse: str
    gain: Interval  # of the difference of the metric; for errors, of the reduction

    @property
    def real(self) -> bool:
        """Whether 0 is outside the interval."""
        return self.gain.mean > self.gain.half_width


def ranked(results: Sequence[Result]) -> list[Result]:
    """The results, best first."""
    return sorted(results, key=lambda r: _sign(r) * float(np.mean(r.scores)), reverse=True)


def differences(results: Sequence[Result]) -> list[Difference]:
    """Every pair of results, the better first.

    The intervals hold for all pairs together with probability `CONFIDENCE`: with m pairs each one
    is of 1 - 0.05 / m (Bonferroni). Without this, nine learners that are all alike (36 pairs) would
    show one or two differences by chance.
    """
    pairs = list(itertools.combinations(ranked(results), 2))
    level = level_of_each(len(pairs))
    return [
        Difference(one.learner, two.learner, paired_interval(_gains(one, two), level))
        for one, two in pairs
    ]


def level_of_each(pairs: int) -> float:
    """The level of one interval such that all intervals hold together with `CONFIDENCE`."""
    return 1 - (1 - CONFIDENCE) / max(pairs, 1)


def paired_interval(gains: np.ndarray, level: float) -> Interval:
    """Mean and half-width z s / sqrt(n) of the differences `[E]` of paired scores.

    `level` is the two-sided interval's probability, which gives z by the normal distribution. Gains
    that are not all finite have no mean, and an infinite half-width.
    """
    if not np.isfinite(gains).all():
        return Interval(math.nan, math.inf)
    mean = float(np.mean(gains))
    error = float(np.std(gains, ddof=1) / np.sqrt(len(gains)))
    return Interval(mean, NormalDist().inv_cdf((1 + level) / 2) * error)


def verdict(results: Sequence[Result], pairs: Sequence[Difference]) -> str:
    """The answer to "which learner for these tasks?" in a sentence or two."""
    best, *_ = ranked(results)
    rivals = {d.worse for d in pairs if d.better == best.learner and not d.real}
    score = mean_interval(best.scores)
    metric = best.metric.replace("_", " ")
    best_text = f"{best.learner} is best: {metric} {score.mean:.4f} ± {score.half_width:.4f}"
    if not rivals:
        return f"{best_text}, and better than every other one beyond chance."
    similar = [r for r in ranked(results) if r.learner in rivals]
    names = ", ".join(r.learner for r in similar)
    quickest = min([best, *similar], key=lambda r: r.adapt_milliseconds)
    return (
        f"{best_text}, but these {len(best.scores)} episodes do not distinguish it from {names}. "
        f"Of these {quickest.learner} adapts fastest ({quickest.adapt_milliseconds:.1f} ms)."
    )


def _sign(result: Result) -> int:
    return 1 if result.higher_is_better else -1


def _gains(one: Result, two: Result) -> np.ndarray:
    """The gain of each episode; none where both errors are infinite."""
    first, second = np.asarray(one.scores), np.asarray(two.scores)
    return _sign(one) * np.subtract(first, second, where=first != second, out=np.zeros(len(first)))
