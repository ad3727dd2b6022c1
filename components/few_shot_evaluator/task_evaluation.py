"""How models are evaluated, for each task type: one row of functions each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from components.few_shot_evaluator.classification import report as classification_report
from components.few_shot_evaluator.classification import scoring as classification_scoring
from components.few_shot_evaluator.classification import summary as classification_summary
from components.few_shot_evaluator.regression import report as regression_report
from components.few_shot_evaluator.regression import scoring as regression_scoring
from components.few_shot_evaluator.regression import summary as regression_summary
from components.few_shot_evaluator.retrieval import report as retrieval_report
from components.few_shot_evaluator.retrieval import scoring as retrieval_scoring
from components.few_shot_evaluator.retrieval import summary as retrieval_summary
from components.tasks.task import Task


class TaskEvaluation(NamedTuple):
    """The functions that evaluate models of one task type."""

    result: type  # class of the result of one episode
    evaluate_episodes: Callable[..., list[Any]]  # serialised episodes to results
    summarise: Callable[..., dict[str, Any]]  # results to the content of `metrics.json`
    render: Callable[..., str]  # an `Evaluation` to `report.html`


_EVALUATIONS = {
    "classification": TaskEvaluation(
        classification_scoring.ClassificationResult,
        classification_scoring.evaluate_episodes,
        classification_summary.summarise,
        classification_report.render,
    ),
    "regression": TaskEvaluation(
        regression_scoring.RegressionResult,
        regression_scoring.evaluate_episodes,
        regression_summary.summarise,
        regression_report.render,
    ),
    "retrieval": TaskEvaluation(
        retrieval_scoring.RetrievalResult,
        retrieval_scoring.evaluate_episodes,
        retrieval_summary.summarise,
        retrieval_report.render,
    ),
}


def evaluation_of(task: Task) -> TaskEvaluation:
    """The functions that evaluate models of a task type."""
    return _EVALUATIONS[task.name]
