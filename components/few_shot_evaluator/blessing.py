"""The rule of blessing: pure, and cautious, since what is not known to be good is not blessed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from components.few_shot_evaluator.metrics import Interval, mean_interval
from components.few_shot_evaluator.options import FEWEST_EPISODES_TO_BLESS, EvaluationOptions
from components.tasks.task import Task

INDUCTIVE = "inductive"


class Comparison(NamedTuple):
    """A model beside a baseline on the same episodes."""

    words: str  # of the baseline
    score: Interval  # of the model on these episodes
    baseline: Interval
    difference: Interval  # of the model's scores less the baseline's, paired
    episodes: int

    @classmethod
    def of(cls, words: str, scores: np.ndarray, of_baseline: np.ndarray) -> "Comparison":
        """The comparison of scores `[E]`; where both predict equally badly, inf less inf is 0."""
        with np.errstate(invalid="ignore"):
            difference = np.where(scores == of_baseline, 0.0, scores - of_baseline)
        score, baseline, ahead = map(mean_interval, (scores, of_baseline, difference))
        return cls(words, score, baseline, ahead, len(scores))

    def margin(self, better: float) -> float:
        """The pessimistic end of how far the model is ahead; `better`: -1 if less is better."""
        return better * self.difference.mean - self.difference.half_width

    def __str__(self) -> str:
        return (
            f"{self.words}: {self.score.mean:.4f} against {self.baseline.mean:.4f} "
            f"(difference {self.difference.mean:+.4f} ± {self.difference.half_width:.4f})"
        )


class Verdict(NamedTuple):
    """Whether a model is blessed, which means that it may be served, and why.

    There is one reason, a sentence, for each rule that is broken or, if blessed, that is kept.
    """

    blessed: bool
    reasons: list[str]


def decide(
    *,
    score: Interval,
    of_units: Mapping[str, Interval | None],
    episodes: int,
    protocol: str | None,
    not_finite: int,
    difference: Interval | None,
    baselines: Sequence[Comparison] = (),
    options: EvaluationOptions,
    task: Task,
) -> Verdict:
    """Decides whether a model of this mean `score` over the episodes is blessed.

    `of_units` are its intervals over classes and groups, `None` where there are too few: the widest
    of all is held against the threshold. The model's metadata name the `protocol`, or do not.
    `not_finite` counts the queries with predictions that are not finite. `difference` is the score
    minus that of the best blessed model on the same episodes (paired). The task type makes the
    threshold a minimum or a maximum.

    The model must be ahead of each of the `baselines`, each 95% interval above 0. To claim that it
    is ahead of all, and so of the best, needs no correction for their number: a model that is not
    ahead of one passes with at most the error of that one test (Berger 1982, "Multiparameter
    hypothesis testing and acceptance sampling": the intersection-union test).
    """
    kept: list[str] = []
    broken: list[str] = []

    def rule(holds: bool, good: str, bad: str) -> None:
        (kept if holds else broken).append(good if holds else bad)

    # The pessimistic end of the interval, and how it may compare with the threshold.
    sign, end = ("-", "lower") if task.higher_is_better else ("+", "upper")
    better = 1.0 if task.higher_is_better else -1.0
    widths = {"episodes": score.half_width}
    widths |= {units: one.half_width for units, one in of_units.items() if one}
    over = max(widths, key=lambda unit: widths[unit])
    bound = score.mean - better * widths[over]
    beyond, short = ("reaches", "is below") if better > 0 else ("is within", "is above")
    if options.threshold is None:
        broken.append("No threshold is configured, and without one no model is blessed.")
    else:
        name = task.metric.replace("_", " ")
        start = (
            f"The {end} bound {bound:.4f} ({name} {score.mean:.4f} {sign} {widths[over]:.4f} over "
            f"{over})"
        )
        limit = f"the threshold {options.threshold:g}."
        holds = better * (bound - options.threshold) >= 0
        rule(holds, f"{start} {beyond} {limit}", f"{start} {short} {limit}")
    rule(
        episodes >= FEWEST_EPISODES_TO_BLESS,
        f"{episodes} episodes were evaluated (at least {FEWEST_EPISODES_TO_BLESS}).",
        f"Only {episodes} episodes were evaluated; blessing needs {FEWEST_EPISODES_TO_BLESS}.",
    )
    rule(
        protocol == INDUCTIVE,
        "Each query is predicted from its support set alone (inductive).",
        f"The model's protocol is {protocol or 'not stated'}: only an inductive model, whose "
        "prediction for a query does not depend on the others, is fit for serving.",
    )
    if baselines:
        nearest = min(baselines, key=lambda one: one.margin(better))
        ahead = nearest.margin(better) > 0
        text = f"{'Ahead' if ahead else 'Not ahead'} of {nearest}."
        if not ahead:
            others = [one.words for one in baselines if not one.margin(better) > 0]
            others.remove(nearest.words)
            text = f"{text[:-1]}, nor of {', '.join(others)}." if others else text
        if not options.must_beat_baselines:
            kept.append(f"{text} It need not be (`evaluation.must_beat_baselines` is false).")
        else:
            rule(ahead, text, text)
    if not_finite:
        broken.append(f"{not_finite} queries got predictions that are not finite.")
    if difference is not None:
        change = f"{difference.mean:+.4f} ± {difference.half_width:.4f}"
        start, limit = f"Against the best blessed model: {change},", f"{options.tolerance:g}."
        rule(
            better * difference.mean >= -options.tolerance,
            f"{start} within the tolerance {limit}",
            f"{start} worse by more than the tolerance {limit}",
        )
    return Verdict(not broken, broken or kept)
