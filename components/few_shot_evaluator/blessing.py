"""When a model is blessed for serving. A pure rule, and cautious: whatever is not known to be good
is not blessed."""

from typing import NamedTuple

from components.few_shot_evaluator.metrics import Interval
from components.few_shot_evaluator.options import FEWEST_EPISODES_TO_BLESS, EvaluationOptions
from components.tasks.task import Task

INDUCTIVE = "inductive"


class Verdict(NamedTuple):
    """Attributes:
    blessed: whether the model may be served.
    reasons: one sentence for each rule that decided: those broken, or, if blessed, those kept.
    """

    blessed: bool
    reasons: list[str]


def judge(
    *,
    accuracy: Interval,
    episodes: int,
    protocol: str | None,
    unanswered: int,
    difference: Interval | None,
    options: EvaluationOptions,
    task: Task,
) -> Verdict:
    """Decides whether a model is blessed.

    Args:
      accuracy: over the episodes judged; for regression, the mean squared error.
      episodes: how many these are.
      protocol: what the model says of itself, "inductive" or "transductive"; `None` if it says
        nothing. Only an inductive model answers a query from its support set alone.
      unanswered: queries whose answers were not finite.
      difference: accuracy minus that of the last blessed model on the same episodes (paired);
        `None` if there is none to compare with.
      options: threshold and tolerance.
      task: whether the threshold is a least accuracy or a largest error.
    """
    kept: list[str] = []
    broken: list[str] = []

    def rule(holds: bool, good: str, bad: str) -> None:
        (kept if holds else broken).append(good if holds else bad)

    # The pessimistic end of the interval, and how it may compare with the threshold.
    sign, end = ("-", "lower") if task.higher_is_better else ("+", "upper")
    better = 1.0 if task.higher_is_better else -1.0
    bound = accuracy.mean - better * accuracy.half_width
    beyond, short = ("reaches", "is below") if better > 0 else ("is within", "is above")
    if options.threshold is None:
        broken.append("No threshold is configured, and without one no model is blessed.")
    else:
        name = task.metric.replace("_", " ")
        reached = f"{bound:.4f} ({name} {accuracy.mean:.4f} {sign} {accuracy.half_width:.4f})"
        rule(
            better * (bound - options.threshold) >= 0,
            f"The {end} bound {reached} {beyond} the threshold {options.threshold:g}.",
            f"The {end} bound {reached} {short} the threshold {options.threshold:g}.",
        )
    rule(
        episodes >= FEWEST_EPISODES_TO_BLESS,
        f"{episodes} episodes were judged (at least {FEWEST_EPISODES_TO_BLESS}).",
        f"Only {episodes} episodes were judged; blessing needs {FEWEST_EPISODES_TO_BLESS}.",
    )
    rule(
        protocol == INDUCTIVE,
        "Each query is answered from its support set alone (inductive).",
        f"The model's protocol is {protocol or 'not stated'}: only an inductive model, whose "
        "answer does not depend on the other queries, is fit for serving.",
    )
    if unanswered:
        broken.append(f"{unanswered} queries got answers that are not finite.")
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
