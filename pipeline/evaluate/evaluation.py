"""Generates the episodes of an evaluation, scores the model on them, and writes the results."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from components.episode_gen.generate import write_episodes
from components.few_shot_evaluator.evaluate import cannot_predict
from components.few_shot_evaluator.evaluate_model import evaluate_model
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.report import Evaluation
from components.few_shot_evaluator.task_evaluation import evaluation_of
from components.tasks.lookup import task_of
from pipeline.config import BeamOptions
from pipeline.evaluate.data import Task
from pipeline.evaluate.model import TrainedModel
from serving import atomic
from serving.errors import UserError
from serving.pattern_signs import without_pattern_signs

CURVE_EPISODES = 100
VERDICT = ("threshold", "tolerance", "blessed", "reasons", "baseline_model")
"""What of `metrics.json` belongs to blessing, which is the business of a run alone."""


class Evaluated(NamedTuple):
    """The results of an evaluation."""

    record: dict[str, Any]  # content of `evaluation.json`
    page: str  # content of `report.html`


def run_evaluation(model: TrainedModel, task: Task, work: Path) -> Evaluated:
    """Evaluates a model; episodes and single results are written to the folder `work`.

    Raises:
      UserError: an example cannot be read, or the model does not take these episodes.
    """
    uri = str(work / "episodes")
    options = PipelineOptions(BeamOptions().pipeline_args())

    def make_pipeline() -> beam.Pipeline:
        return beam.Pipeline(options=options)

    episode_set = write_episodes(
        task.config, task.checked, uri=uri, work=f"{uri}/.work", make_pipeline=make_pipeline
    )
    model_dir = str(without_pattern_signs(model.folder.absolute()))
    why_not = cannot_predict(model_dir, uri, episode_set)
    if why_not:
        raise UserError(f"The model cannot predict such episodes: {why_not}")
    episodes = episode_set.counts["test"]
    evaluation = evaluate_model(
        examples_uri=uri,
        model_dir=model_dir,
        options=EvaluationOptions(
            episodes=episodes, curve_episodes=min(CURVE_EPISODES, episodes), threshold=None
        ),
        work=str(work / "results"),
        make_pipeline=make_pipeline,
    )
    metrics = evaluation.metrics | dict.fromkeys(VERDICT) | {"reasons": []}
    page = evaluation_of(task_of(model.spec)).render(evaluation._replace(metrics=metrics))
    return Evaluated(_record(model, task, evaluation), page)


def write_results(evaluated: Evaluated, folder: Path) -> None:
    """Writes `evaluation.json` and `report.html` to a new folder, which appears whole."""
    with atomic.replacement(folder) as temporary:
        atomic.write_json(f"{temporary}/evaluation.json", evaluated.record)
        atomic.write_text(f"{temporary}/report.html", evaluated.page)


def _record(model: TrainedModel, task: Task, evaluation: Evaluation) -> dict[str, Any]:
    data, metrics = task.config.data, evaluation.metrics
    return {
        "model": str(model.folder),
        "learner": model.metadata.get("learner"),
        "dataset": data.name or data.path or data.source,
        "classes": len(task.checked.splits["test"]),
        "of_the_run": task.of_run,
        "left_out": dict(task.small),
        "cautions": task.cautions,
        "seed": task.config.episodes.seed,
        "metric": metrics.get("metric", "accuracy"),
        **{key: value for key, value in metrics.items() if key not in VERDICT},
        "config": json.loads(task.config.to_json()),
    }
