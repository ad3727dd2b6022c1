"""`report.html` of a classifier."""

from typing import Any

import numpy as np
from markupsafe import Markup

from components.episodes.format import Episode
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator import figures as common
from components.few_shot_evaluator import report
from components.few_shot_evaluator.classification import baselines, figures
from components.few_shot_evaluator.classification.scoring import ClassificationResult
from components.few_shot_evaluator.metrics import confusion
from components.few_shot_evaluator.thumbnails import thumbnail
from components.tasks.lookup import task_of


def render(evaluation: report.Evaluation) -> str:
    """Makes the page."""
    by_index = {result.index: result for result in evaluation.results}
    shown = [one["index"] for one in evaluation.metrics["worst_episodes"]]
    episodes = report.read_episodes(evaluation, shown)
    return report.render(
        "classification/report.html",
        evaluation,
        pictures=_pictures(evaluation),
        worst=[_worst(episodes[index], by_index[index], evaluation.record) for index in shown],
    )


def _pictures(evaluation: report.Evaluation) -> dict[str, str]:
    metrics, history = evaluation.metrics, evaluation.history
    rejection = metrics["none_of_these"]
    rows = report.comparison_bars(metrics, task_of(evaluation.record.example_spec))
    best = metrics["best_baseline"]
    chance = ("chance", metrics["baselines"][baselines.CHANCE])
    of_best = (metrics["baseline_differences"][best]["words"], metrics["baselines"][best])
    scores = [result.score for result in evaluation.results]
    return report.curves(
        metrics, score="accuracy", shots="shots", of_steps=[of_best, chance], of_shots=[chance]
    ) | {
        "accuracies": figures.accuracies(rows, chance=chance[1]),
        "distribution": figures.distribution(scores, mean=metrics["accuracy"]),
        "reliability": figures.reliability(metrics["calibration"]["bins"]),
        "none_curves": figures.none_curves(rejection) if rejection else "",
        "loss": common.training(history, keys=("loss", "eval_loss"), y_label="loss"),
        "accuracy": common.training(history, keys=("score", "eval_score"), y_label="accuracy"),
    }


def _worst(
    episode: Episode, result: ClassificationResult, record: EpisodeSetRecord
) -> dict[str, Any]:
    """One of the worst episodes for the template: each class, its pictures and its predictions."""

    def show(example: Any) -> Markup:
        return Markup(thumbnail(example, record.example_spec))

    queries = list(zip(episode.query_x, episode.query_y, result.predictions, result.confidences))
    table = confusion(np.array(result.predictions), episode.query_y, ways=record.ways)
    classes = [
        {
            "name": name,
            "support": [
                show(x) for x, y in zip(episode.support_x, episode.support_y) if y == label
            ],
            "queries": [
                {"picture": show(x), "prediction": p, "confidence": sure}
                for x, y, p, sure in queries
                if y == label
            ],
            "predicted": table[label].tolist(),
        }
        for label, name in enumerate(episode.class_names)
    ]
    return {"index": result.index, "accuracy": result.score, "classes": classes}
