"""What Kubeflow's pages show of an evaluation: its report and its figures.

They draw artifacts of KFP's own types only, which no component of TFX can have. So the
specification gives the evaluator's step two outputs more, and the entrypoint fills them from TFX's.
"""

import json
import posixpath
from collections.abc import Mapping
from typing import Any

from pipeline.intervals import METRICS
from pipeline.kubeflow.executor_input import local_path

STEP = "FewShotEvaluator"
REPORT, FIGURES = "html_report", "figures"
_TYPES = {REPORT: "system.HTML", FIGURES: "system.Metrics"}


def with_shown_outputs(spec: dict[str, Any]) -> dict[str, Any]:
    """Adds the outputs to the evaluator's component of a specification with TFX's names."""
    component = spec["components"][STEP]
    more = {
        name: {"artifactType": {"schemaTitle": title, "schemaVersion": "0.0.1"}}
        for name, title in _TYPES.items()
    }
    outputs = component["outputDefinitions"]
    outputs = outputs | {"artifacts": outputs["artifacts"] | more}
    components = spec["components"] | {STEP: component | {"outputDefinitions": outputs}}
    return spec | {"components": components}


def shown_outputs(
    executor_input: Mapping[str, Any], executor_output: Mapping[str, Any], *, direct: bool
) -> dict[str, Any]:
    """Copies the report to its place and returns the outputs that TFX does not know; {} if none.

    Args:
      executor_input: ExecutorInput as the backend gave it.
      executor_output: TFX's ExecutorOutput, with local paths.
      direct: see `executor_input.local_path`.
    """
    given = executor_input["outputs"].get("artifacts", {})
    if not set(_TYPES) <= set(given):
        return {}
    from tfx.dsl.io import fileio

    from components.few_shot_evaluator.executor import METRICS_FILE, REPORT_FILE

    (evaluation,) = executor_output["artifacts"]["evaluation"]["artifacts"]
    (report,), (figures,) = (given[name]["artifacts"] for name in (REPORT, FIGURES))
    page = local_path(report["uri"], direct=direct)
    fileio.makedirs(posixpath.dirname(page))
    fileio.copy(f"{evaluation['uri']}/{REPORT_FILE}", page, overwrite=True)
    with fileio.open(f"{evaluation['uri']}/{METRICS_FILE}") as file:
        metadata = _figures(json.load(file))
    return {
        REPORT: {"artifacts": [report]},
        FIGURES: {"artifacts": [figures | {"metadata": metadata}]},
    }


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of `metrics.json` that a table of runs compares."""
    names = (*METRICS, "ci95", "episodes", "threshold", "blessed")
    figures = {name: float(metrics[name]) for name in names if metrics.get(name) is not None}
    return figures | {f"baseline {name}": value for name, value in metrics["baselines"].items()}
