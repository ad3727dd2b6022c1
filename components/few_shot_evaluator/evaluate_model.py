"""The whole evaluation of one model on one set of episodes: the executor without TFX."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam

from components.episodes.record import read_record
from components.few_shot_evaluator.classification.domains import has_new_domains
from components.few_shot_evaluator.classification.text_features import training_weights
from components.few_shot_evaluator.evaluate import evaluate, not_comparable, read_results
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.report import Evaluation
from components.few_shot_evaluator.scoring import ScoringPlan
from components.few_shot_evaluator.summary import EvaluationContext
from components.few_shot_evaluator.task_evaluation import evaluation_of
from components.tasks.lookup import task_of
from serving.saved_model.metadata import read_metadata


def evaluate_model(
    *,
    examples_uri: str,
    model_dir: str,
    options: EvaluationOptions,
    work: str,
    make_pipeline: Callable[[], beam.Pipeline],
    last_blessed: tuple[str, str] | None = None,
    history: Sequence[dict[str, Any]] = (),
) -> Evaluation:
    """Scores a model on the `test` episodes; `task_evaluation` renders what this returns.

    Args:
      examples_uri: location of the Examples artifact.
      model_dir: folder of the SavedModel.
      options: the section `evaluation`.
      work: folder for the results of single episodes, which every worker must reach.
      make_pipeline: function that gives a new Beam pipeline.
      last_blessed: uri and SavedModel folder of the model to compare with, if there is one.
      history: training history of the model, for the report.

    Raises:
      UserError: the `test` split has fewer episodes than are to be evaluated.
    """
    record = read_record(examples_uri)
    compared, compared_dir = None, None
    if last_blessed is not None:
        uri, compared_dir = last_blessed
        compared = {"uri": uri}
        why_not = not_comparable(compared_dir, model_dir, examples_uri, record)
        if why_not:
            logging.warning("The last blessed model is left out: %s", why_not)
            compared["not_comparable"], compared_dir = why_not, None

    episodes = {"test": options.episodes}
    if has_new_domains(record) or options.none_of_these:
        episodes["eval"] = min(options.episodes, record.counts["eval"])
    plan = ScoringPlan.of(record, options)
    if record.example_spec.modality == "text" and record.counts["train"]:
        plan = plan._replace(text_weights=training_weights(examples_uri))
    of_eval = plan._replace(curve_episodes=0, baseline_episodes=0)
    functions = evaluation_of(task_of(record.example_spec))
    with make_pipeline() as pipeline:
        for split, count in episodes.items():
            evaluate(
                pipeline,
                examples_uri=examples_uri,
                results_prefix=f"{work}/{split}",
                split=split,
                # The curves and the comparisons are of the test split.
                plan=plan if split == "test" else of_eval,
                episodes=count,
                episodes_per_call=options.episodes_per_call,
                model_dir=model_dir,
                last_blessed_dir=compared_dir if split == "test" else None,
            )
    results = {
        split: read_results(f"{work}/{split}", episodes=n, split=split, result=functions.result)
        for split, n in episodes.items()
    }
    metadata = read_metadata(model_dir)
    context = EvaluationContext(
        record,
        options,
        metadata.get("protocol"),
        compared,
        temperature=metadata.get("temperature", 1.0),
        starts_from_support=metadata.get("starts_from_support", False),
        none_threshold=metadata.get("none_threshold"),
    )
    metrics = functions.summarise(results["test"], context, results.get("eval", ()))
    return Evaluation(metrics, results["test"], record, options, metadata, history, examples_uri)
