"""The executor of FewShotEvaluator."""

import json
import logging
import os
from typing import Any

from tfx.components.evaluator import constants
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.few_shot_evaluator.evaluate_model import evaluate_model
from components.few_shot_evaluator.last_blessed import SCORE, TASK
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.task_evaluation import evaluation_of
from components.tasks.lookup import task_of
from serving import atomic
from serving.model_versions.pointer import last_pushed, local_model

METRICS_FILE = "metrics.json"
REPORT_FILE = "report.html"
HISTORY_FILE = "history.json"  # in the ModelRun artifact


class Executor(BaseBeamExecutor):
    """Evaluates a model on the `test` split."""

    def Do(self, input_dict, output_dict, exec_properties: dict[str, Any]) -> None:
        """Evaluates, writes metrics and report, and blesses the model or not.

        Args:
          input_dict:
            examples: the episodes, one Examples artifact with a `test` split and `episodes.json`.
            model: the model that is evaluated, one Model artifact.
            baseline_model: the last blessed model, one Model artifact or none.
            model_run: the training whose `history.json` is the loss curve, one ModelRun or none.
          output_dict:
            evaluation: one ModelEvaluation: `metrics.json`, `report.html`; float custom properties
              ci95 and the metric (accuracy, recall or mean_squared_error), int episodes.
            blessing: one ModelBlessing as the stock Evaluator writes it: an empty file BLESSED or
              NOT_BLESSED, the custom properties blessed, current_model, current_model_id and, with
              a baseline model, baseline_model, baseline_model_id; `last_blessed.SCORE` and `TASK`.
          exec_properties:
            config_json: str, `EvaluationOptions` as JSON.
            baseline_pointer: str, path of a file that names the last pushed model, for a runner
              that cannot resolve `baseline_model`; "" for none.
            code_version: str, part of the cache key only.

        Raises:
          UserError: the `test` split has fewer episodes than are to be evaluated.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        options = EvaluationOptions(**json.loads(exec_properties["config_json"]))
        examples_uri = artifact_utils.get_single_uri(input_dict["examples"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        baseline = _optional(input_dict, "baseline_model")
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])

        last_blessed = None
        pushed = last_pushed(exec_properties.get("baseline_pointer") or "")
        if baseline is not None:
            last_blessed = baseline.uri, path_utils.serving_model_path(baseline.uri)
        elif pushed:
            last_blessed = pushed, local_model(pushed)
        work = os.path.join(evaluation.uri, ".results")
        evaluated = evaluate_model(
            examples_uri=examples_uri,
            model_dir=path_utils.serving_model_path(model.uri),
            options=options,
            work=work,
            make_pipeline=self._make_beam_pipeline,
            last_blessed=last_blessed,
            history=_history(_optional(input_dict, "model_run")),
        )
        metrics, task = evaluated.metrics, task_of(evaluated.record.example_spec)
        page = evaluation_of(task).render(evaluated)
        atomic.write_json(os.path.join(evaluation.uri, METRICS_FILE), metrics)
        atomic.write_text(os.path.join(evaluation.uri, REPORT_FILE), page)
        fileio.rmtree(work)
        evaluation.set_float_custom_property(task.metric, metrics[task.metric])
        evaluation.set_float_custom_property("ci95", metrics["ci95"])
        evaluation.set_int_custom_property("episodes", metrics["episodes"])
        better = 1.0 if task.higher_is_better else -1.0
        blessing.set_float_custom_property(SCORE, better * metrics[task.metric])
        scored_on = f"{metrics['splits_hash']} {metrics['ways']}-way {metrics['shots']}-shot"
        blessing.set_string_custom_property(TASK, scored_on)
        _bless(blessing, metrics["blessed"], model, baseline)
        logging.info(
            "%s %.4f ± %.4f over %d episodes: %s. %s",
            task.metric,
            metrics[task.metric],
            metrics["ci95"],
            metrics["episodes"],
            "blessed" if metrics["blessed"] else "not blessed",
            " ".join(metrics["reasons"]),
        )


def _bless(blessing, blessed: bool, model, baseline) -> None:
    """Fills a blessing as the stock Evaluator does; Pusher and the resolver read it."""
    set_string, set_int = blessing.set_string_custom_property, blessing.set_int_custom_property
    set_string(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    set_int(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    if baseline is not None:
        set_string(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri)
        set_int(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id)
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    set_int(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    # Written last: where this file is, everything else is there.
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")


def _history(model_run) -> list[dict[str, Any]]:
    """The training history; empty if there is none."""
    path = None if model_run is None else os.path.join(model_run.uri, HISTORY_FILE)
    if path is None or not fileio.exists(path):
        return []
    return json.loads(io_utils.read_string_file(path))


def _optional(input_dict, key: str):
    artifacts = input_dict.get(key)
    return artifact_utils.get_single_instance(artifacts) if artifacts else None
