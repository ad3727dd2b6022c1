"""`report.html` of retrieval: its recall by class, its curves, and some of its answers."""

from collections.abc import Sequence
from typing import Any

import matplotlib

from components.few_shot_evaluator import figures, report
from components.few_shot_evaluator.retrieval.baselines import NAMES
from components.tasks.lookup import task_of


def render(evaluation: report.Evaluation) -> str:
    """Makes the page."""
    metrics, task = evaluation.metrics, task_of(evaluation.record.example_spec)
    rows = report.comparison_bars(metrics, task)
    pictures = report.curves(metrics, score="recall", shots="pairs") | {
        "recalls": figures.bars(
            rows, score_format=".3f", longest=1.0, right=1.15, line=metrics["threshold"]
        ),
        "distribution": _distribution([result.score for result in evaluation.results]),
        "loss": figures.training(evaluation.history, keys=("loss",), y_label="loss"),
    }
    return report.render(
        "retrieval/report.html",
        evaluation,
        pictures=pictures,
        recall=metrics["recall"],
        best=_best(metrics),
        shown=[result for result in evaluation.results if result.answers is not None],
    )


def _distribution(scores: Sequence[float]) -> str:
    with matplotlib.rc_context(figures.STYLE):
        figure, axes = figures.new_figure(4.6, 3.0)
        axes.hist(scores, bins=25, range=(0, 1), color=figures.ACCENT, rwidth=0.9)
        axes.set_xlabel("recall of an episode")
        axes.set_ylabel("episodes")
        return figures.as_svg(figure)


def _best(metrics: dict[str, Any]) -> str:
    """The name of the best baseline that is not the model itself."""
    return max(NAMES, key=lambda name: metrics["baselines"].get(name, -1.0))
