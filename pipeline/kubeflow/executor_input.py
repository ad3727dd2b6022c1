"""Mends what Kubeflow's backend hands to a step, so that TFX can read it. Pure functions on JSON.

The backend drops the types of input artifacts, gives locations that only its launcher can open,
adds outputs and metadata of its own, and knows no lists, dicts and bools in TFX's sense
(tensorflow/tfx issue 7768).
"""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.kubeflow.locations import local_path
from pipeline.kubeflow.parameters import applied

# The launcher's own additions: an output of the step's log, and notes on where an artifact lies.
_EXTRA_ARTIFACTS = ("executor-logs",)
_EXTRA_METADATA = ("display_name", "store_session_info")


def mended(
    executor_input: Mapping[str, Any],
    inputs_spec: Mapping[str, Any],
    *,
    declared_types: Mapping[str, str],
    direct: bool = False,
) -> dict[str, Any]:
    """An ExecutorInput with types, local paths and run-time parameters in their places.

    Args:
      executor_input: as the backend wrote it.
      inputs_spec: the component's `ComponentInputsSpec`, which knows the artifacts' types.
      declared_types: "list", "dict" or "bool" of the properties that are so declared.
      direct: leave gs:// locations as they are.

    Raises:
      UserError: a run-time parameter has no such value.
    """
    inputs, outputs = executor_input.get("inputs", {}), executor_input.get("outputs", {})
    types = {
        name: given["artifactType"] for name, given in inputs_spec.get("artifacts", {}).items()
    }
    parameters = applied(inputs.get("parameterValues", {}))
    for name, kind in declared_types.items():
        if name in parameters:
            parameters[name] = _as_declared(parameters[name], kind)
    return {
        **executor_input,
        "inputs": {
            **inputs,
            "artifacts": _artifacts(inputs, types, direct),
            "parameterValues": parameters,
        },
        "outputs": {**outputs, "artifacts": _artifacts(outputs, {}, direct)},
    }


def _artifacts(side: Mapping[str, Any], types: Mapping[str, Any], direct: bool) -> dict[str, Any]:
    return {
        name: {"artifacts": [_artifact(a, types.get(name), direct) for a in found["artifacts"]]}
        for name, found in side.get("artifacts", {}).items()
        if name not in _EXTRA_ARTIFACTS and found.get("artifacts")
    }


def _artifact(artifact: Mapping[str, Any], declared: Any, direct: bool) -> dict[str, Any]:
    metadata = {k: v for k, v in artifact.get("metadata", {}).items() if k not in _EXTRA_METADATA}
    result = {**artifact, "uri": local_path(artifact.get("uri", ""), direct=direct)}
    result["metadata"] = metadata
    if declared is not None:
        result["type"] = declared
    return result


def _as_declared(value: Any, kind: str) -> Any:
    if kind == "bool":
        return value.lower() in ("true", "1") if isinstance(value, str) else bool(value)
    return json.loads(value) if isinstance(value, str) else value


def restored(
    executor_output: Mapping[str, Any], executor_input: Mapping[str, Any]
) -> dict[str, Any]:
    """An ExecutorOutput whose artifacts lie where the backend knows them.

    Args:
      executor_output: as TFX wrote it, with local paths.
      executor_input: as the backend wrote it.
    """
    original = executor_input.get("outputs", {}).get("artifacts", {})
    artifacts = {
        name: {
            "artifacts": [
                {**new, "uri": old["uri"]}
                for new, old in zip(found["artifacts"], original[name]["artifacts"])
            ]
        }
        for name, found in executor_output.get("artifacts", {}).items()
    }
    return {**executor_output, "artifacts": artifacts}
