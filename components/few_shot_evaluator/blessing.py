"""The rule of blessing: pure, and cautious, since what is not known to be good is not blessed."""

from typing import NamedTuple

from components.few_shot_evaluator.metrics import Interval
from components.few_shot_evaluator.options import FEWEST_EPISODES_TO_BLESS, EvaluationOptions
from components.tasks.task import Task

INDUCTIVE = "inductive"


class Verdict(NamedTuple):
    """Whether a model is blessed, and why.

    Attributes:
      blessed: whether the model may be served.
      reasons: one sentence for each rule that decided: the broken rules or, if blessed, the kept.
    """

    blessed: bool
    reasons: list[str]


def decide(
    *,
    score: Interval,
    episodes: int,
    protocol: str | None,
    not_finite: int,
    difference: Interval | None,
    options: EvaluationOptions,
    task: Task,
) -> Verdict:
    """Decides whether a model is blessed.

    Args:
      score: mean of the task's metric over the episodes.
      episodes: number of episodes.
      protocol: "inductive" or "transductive", as the model's metadata says; `None` if they do not
        say. Only an inductive model predicts each query from its support set alone.
      not_finite: number of queries with predictions that are not finite.
      difference: score minus that of the last blessed model on the same episodes (paired); `None`
        if there is none to compare with.
      options: threshold and tolerance.
      task: task type, which says whether the threshold is a minimum or a maximum.
    """
    kept: list[str] = []
    broken: list[str] = []

    def rule(holds: bool, good: str, bad: str) -> None:
        (kept if holds else broken).append(good if holds else bad)

    # The pessimistic end of the interval, and how it may compare with the threshold.
    sign, end = ("-", "lower") if task.higher_is_better else ("+", "upper")
    better = 1.0 if task.higher_is_better else -1.0
    bound = score.mean - better * score.half_width
    beyond, short = ("reaches", "is below") if better > 0 else ("is within", "is above")
    if options.threshold is None:
        broken.append("No threshold is configured, and without one no model is blessed.")
    else:
        name = task.metric.replace("_", " ")
        reached = f"{bound:.4f} ({name} {score.mean:.4f} {sign} {score.half_width:.4f})"
        rule(
            better * (bound - options.threshold) >= 0,
            f"The {end} bound {reached} {beyond} the threshold {options.threshold:g}.",
            f"The {end} bound {reached} {short} the threshold {options.threshold:g}.",
        )
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
    if not_finite:
        broken.append(f"{not_finite} queries got predictions that are not finite.")
    if difference is not None:
        change = f"{difference.mean:+.4f} ± {difference.half_width:.4f}"
        rule(
            better * difference.mean >= -options.tolerance,
            f"Against the last blessed model: {change}, within the tolerance "
            f"{options.tolerance:g}.",
            f"Against the last blessed model: {change}, worse by more than the tolerance "
            f"{options.tolerance:g}.",
        )
    return Verdict(not broken, broken or kept)
