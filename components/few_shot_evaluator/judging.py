"""How models are judged, for each type of task: one row of functions each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from components.few_shot_evaluator.classification import report as classification_report
from components.few_shot_evaluator.classification import scoring as classification_scoring
from components.few_shot_evaluator.classification import summary as classification_summary
from components.few_shot_evaluator.regression import report as regression_report
from components.few_shot_evaluator.regression import scoring as regression_scoring
from components.few_shot_evaluator.regression import summary as regression_summary
from components.tasks.task import Task


class Judging(NamedTuple):
    """Attributes:
    result: the class of what one episode tells.
    score_episodes: serialised episodes to results, see `classification.scoring`.
    summarise: results to the content of `metrics.json`, see `summary`.
    render: metrics and results to `report.html`, see `classification.report`.
    """

    result: type
    score_episodes: Callable[..., list[Any]]
    summarise: Callable[..., dict[str, Any]]
    render: Callable[..., str]


_JUDGING = {
    "classification": Judging(
        classification_scoring.ClassificationResult,
        classification_scoring.score_episodes,
        classification_summary.summarise,
        classification_report.render,
    ),
    "regression": Judging(
        regression_scoring.RegressionResult,
        regression_scoring.score_episodes,
        regression_summary.summarise,
        regression_report.render,
    ),
}


def judging_for(task: Task) -> Judging:
    """How models of a task type are judged."""
    return _JUDGING[task.name]
