"""`report.html` of a regression: its errors, its curves, and its predictions."""

from typing import Any

import numpy as np
from markupsafe import Markup

from components.episodes.format import Episode
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator import figures as common
from components.few_shot_evaluator import report
from components.few_shot_evaluator.regression import figures
from components.few_shot_evaluator.regression.scoring import RegressionResult
from components.few_shot_evaluator.thumbnails import picture
from components.modalities.pictures import as_pixels
from components.tasks.lookup import task_of


def render(evaluation: report.Evaluation) -> str:
    """Makes the page."""
    shown = [result for result in evaluation.results if result.predictions is not None]
    episodes = report.read_episodes(evaluation, [result.index for result in shown])
    return report.render(
        "regression/report.html",
        evaluation,
        pictures=_pictures(evaluation),
        error=evaluation.metrics["mean_squared_error"],
        shown=[_show(episodes[result.index], result, evaluation.record) for result in shown],
    )


def _pictures(evaluation: report.Evaluation) -> dict[str, str]:
    metrics, history = evaluation.metrics, evaluation.history
    task = task_of(evaluation.record.example_spec)
    rows = report.comparison_bars(metrics, task)
    return report.curves(metrics, score="mean squared error", shots="support examples") | {
        "errors": figures.errors(rows, threshold=metrics["threshold"]),
        "distribution": figures.distribution(
            [result.score for result in evaluation.results], mean=metrics[task.metric]
        ),
        "loss": common.training(history, keys=("loss",), y_label="loss"),
    }


def _show(episode: Episode, result: RegressionResult, record: EpisodeSetRecord) -> dict[str, Any]:
    """One episode for the template: a curve of a function of one number, or rows of pictures."""
    spec, predictions = record.example_spec, result.predictions or {}
    name = episode.class_names[0]
    shown: dict[str, Any] = {"index": result.index, "name": name, "error": result.score}
    if spec.target_shape == spec.shape == (1,):
        curve = figures.function(
            (np.ravel(episode.support_x), np.ravel(episode.support_y)),
            (np.ravel(episode.query_x), np.ravel(episode.query_y)),
            {steps: np.ravel(values) for steps, values in predictions.items()},
        )
        return shown | {"curve": Markup(curve)}
    if not spec.image_to_image:
        return shown

    def row(values: Any) -> list[Markup]:
        pixels = np.reshape(values, (-1, *(spec.target_shape or ())))
        if pixels.dtype != np.uint8:
            pixels = as_pixels(pixels)
        return [Markup(picture(image)) for image in pixels]

    def name_of(steps: str) -> str:
        return f"after {steps} steps" if steps.isdigit() else steps.replace("_", " ")

    return shown | {
        "support": {"example": row(episode.support_x), "target": row(episode.support_y)},
        "queries": {
            "query": row(episode.query_x),
            **{name_of(steps): row(values) for steps, values in predictions.items()},
            "target": row(episode.query_y),
        },
    }
