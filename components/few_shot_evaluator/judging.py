"""How models are judged, for each type of task: one row of functions each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from components.few_shot_evaluator.classification import report as classification_report
from components.few_shot_evaluator.classification import scoring as classification_scoring
from components.few_shot_evaluator.classification import summary as classification_summary
from components.few_shot_evaluator.regression import report as regression_report
from components.few_shot_evaluator.regression import scoring as regression_scoring
from components.few_shot_evaluator.regression import summary as regression_summary
from components.few_shot_evaluator.task_types import CLASSIFICATION, REGRESSION, TaskType
from components.modalities.base import ExampleSpec


class Judging(NamedTuple):
    """Attributes:
    task: what an answer is worth.
    result: the class of what one episode tells.
    score_episodes: serialised episodes to results, see `classification.scoring`.
    summarise: results to the content of `metrics.json`, see `summary`.
    render: metrics and results to `report.html`, see `classification.report`.
    """

    task: TaskType
    result: type
    score_episodes: Callable[..., list[Any]]
    summarise: Callable[..., dict[str, Any]]
    render: Callable[..., str]


CLASSIFIERS = Judging(
    CLASSIFICATION,
    classification_scoring.ClassificationResult,
    classification_scoring.score_episodes,
    classification_summary.summarise,
    classification_report.render,
)
REGRESSIONS = Judging(
    REGRESSION,
    regression_scoring.RegressionResult,
    regression_scoring.score_episodes,
    regression_summary.summarise,
    regression_report.render,
)


def judging_for(spec: ExampleSpec) -> Judging:
    """By what the examples of the episodes have: class labels or float targets."""
    return REGRESSIONS if spec.regression else CLASSIFIERS
