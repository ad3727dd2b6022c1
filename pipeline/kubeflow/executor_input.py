"""Converts between the backend's JSON and what TFX reads: ExecutorInput and ExecutorOutput.

The backend drops the types of input artifacts, gives locations that only its launcher can open,
adds outputs and metadata of its own, and has no lists, dicts and bools as TFX has them
(tensorflow/tfx issue 7768). The launcher downloads the inputs before a step and uploads the outputs
after it. TFX opens an artifact by its uri with TensorFlow's file system, which has no s3:// and no
minio://: a step uses the launcher's copies.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from pipeline.kubeflow.parameters import apply_parameters

ROOT_VARIABLE = "FEWSHOT_ARTIFACT_ROOT"
"""Environment variable: the folder that holds the mounts, instead of `/`."""
_MOUNTS = {"gs": "gcs", "s3": "s3", "minio": "minio"}
# Outputs of KFP's own types are none of TFX's: the launcher's for the log, and those of `shown`.
_KFP_TYPES = "system."
# The launcher adds these about an artifact's storage.
_EXTRA_METADATA = ("display_name", "store_session_info")


def to_tfx(
    executor_input: Mapping[str, Any],
    inputs_spec: Mapping[str, Any],
    *,
    declared_types: Mapping[str, str],
    direct: bool = False,
) -> dict[str, Any]:
    """Returns the ExecutorInput with artifact types, local paths and run-time parameters filled in.

    The component's `ComponentInputsSpec` has the artifacts' types; `declared_types` are "list",
    "dict" or "bool" by property, for properties declared so. `direct`: see `local_path`.

    Raises:
      UserError: the value of a run-time parameter is wrong.
    """
    inputs, outputs = executor_input.get("inputs", {}), _of_tfx(executor_input.get("outputs", {}))
    declared = inputs_spec.get("artifacts", {})
    types = {name: given["artifactType"] for name, given in declared.items()}
    parameters = apply_parameters(inputs.get("parameterValues", {}))
    for name, kind in declared_types.items():
        if name in parameters:
            parameters[name] = _as_declared(parameters[name], kind)
    inputs = {**inputs, "artifacts": _artifacts(inputs, types, direct)}
    return {
        **executor_input,
        "inputs": {**inputs, "parameterValues": parameters},
        "outputs": {**outputs, "artifacts": _artifacts(outputs, {}, direct)},
    }


def _artifacts(side: Mapping[str, Any], types: Mapping[str, Any], direct: bool) -> dict[str, Any]:
    return {
        name: {"artifacts": [_artifact(a, types.get(name), direct) for a in entry["artifacts"]]}
        for name, entry in side.get("artifacts", {}).items()
        if entry.get("artifacts")
    }


def _of_tfx(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs that are not of KFP's own types."""

    def is_of_kfp(artifact: Mapping[str, Any]) -> bool:
        return artifact.get("type", {}).get("schemaTitle", "").startswith(_KFP_TYPES)

    artifacts = outputs.get("artifacts", {}).items()
    kept = {k: entry for k, entry in artifacts if not any(map(is_of_kfp, entry["artifacts"]))}
    return {**outputs, "artifacts": kept}


def _artifact(artifact: Mapping[str, Any], declared: Any, direct: bool) -> dict[str, Any]:
    metadata = {k: v for k, v in artifact.get("metadata", {}).items() if k not in _EXTRA_METADATA}
    uri = local_path(artifact.get("uri", ""), direct=direct)
    result = {**artifact, "uri": uri, "metadata": metadata}
    return result if declared is None else result | {"type": declared}


def local_path(uri: str, *, direct: bool = False) -> str:
    """Returns the path of the launcher's copy of an artifact; a path is returned unchanged.

    With `direct`, gs:// locations stay, for TensorFlow and Beam can open them.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in _MOUNTS or (direct and scheme == "gs"):
        return uri
    # A MinIO location may carry its endpoint as a query string.
    path = rest.partition("?")[0]
    return os.path.join(os.environ.get(ROOT_VARIABLE, "/"), _MOUNTS[scheme], path)


def _as_declared(value: Any, kind: str) -> Any:
    if kind == "bool":
        return value.lower() in ("true", "1") if isinstance(value, str) else bool(value)
    return json.loads(value) if isinstance(value, str) else value


def from_tfx(
    executor_output: Mapping[str, Any], executor_input: Mapping[str, Any], *, direct: bool = False
) -> dict[str, Any]:
    """Returns TFX's ExecutorOutput with the backend's locations in place of local paths.

    They are in the artifacts' uris and in their metadata, as a blessing's `current_model`.
    """
    sides = [executor_input.get(side, {}).get("artifacts", {}) for side in ("inputs", "outputs")]
    given = [a["uri"] for side in sides for entry in side.values() for a in entry["artifacts"]]
    locations = {local_path(uri, direct=direct): uri for uri in given}
    artifacts = {}
    for name, entry in executor_output.get("artifacts", {}).items():
        pairs = zip(entry["artifacts"], sides[1][name]["artifacts"])
        artifacts[name] = {
            "artifacts": [
                {**new, "uri": old["uri"], "metadata": _with_locations(new, locations)}
                for new, old in pairs
            ]
        }
    return {**executor_output, "artifacts": artifacts}


def _with_locations(artifact: Mapping[str, Any], locations: Mapping[str, str]) -> dict[str, Any]:
    metadata = artifact.get("metadata", {})
    return {k: locations.get(v, v) if isinstance(v, str) else v for k, v in metadata.items()}
