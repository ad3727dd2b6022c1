"""Runs one TFX executor outside TFX's own runners."""

import json
import os
import tempfile
from collections.abc import Mapping
from typing import Any

from serving.model_versions import object_storage


def run_executor(
    class_path: str,
    executor_input: Mapping[str, Any],
    inputs_spec: Mapping[str, Any],
    beam_args: list[str],
    *,
    direct: bool = False,
) -> dict[str, Any]:
    """Runs a TFX executor and returns its ExecutorOutput.

    Args:
      class_path: `module.Class` of the executor.
      executor_input: ExecutorInput as JSON, with the types and local paths of `to_tfx`.
      inputs_spec: ComponentInputsSpec as JSON, which tells integers from other numbers.
      beam_args: Beam options; other executors get them as extra flags.
      direct: whether class data in object storage are read from there, without a local copy.
    """
    from absl import logging
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.dsl.components.base import base_beam_executor, base_executor
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as utils
    from tfx.orchestration.portable import outputs_utils
    from tfx.types import standard_artifacts
    from tfx.utils import import_utils

    logging.set_verbosity(logging.INFO)
    message = pipeline_spec_pb2.ExecutorInput()
    json_format.ParseDict(executor_input, message, ignore_unknown_fields=True)
    name_from_id = {0: ""}  # 0 is the id of an artifact without a name
    inputs = utils.parse_raw_artifact_dict(message.inputs.artifacts, name_from_id)
    outputs = utils.parse_raw_artifact_dict(message.outputs.artifacts, name_from_id)
    for (artifact,) in outputs.values():
        if not object_storage.is_remote(artifact.uri):
            os.makedirs(artifact.uri, exist_ok=True)
    properties = _properties(executor_input["inputs"]["parameterValues"], inputs_spec)
    if not direct:
        properties = with_local_data(properties)

    executor_class = import_utils.import_class_by_path(class_path)
    task_root = os.path.dirname(message.outputs.output_file)
    beam = issubclass(executor_class, base_beam_executor.BaseBeamExecutor)
    base = base_beam_executor.BaseBeamExecutor if beam else base_executor.BaseExecutor
    context = base.Context(
        unique_id=os.path.basename(task_root),
        tmp_dir=os.path.join(task_root, ".temp"),
        **{"beam_pipeline_args" if beam else "extra_flags": beam_args},
    )
    executor_class(context).Do(inputs, outputs, properties)

    for (artifact,) in outputs.values():
        if artifact.type_name == standard_artifacts.ModelBlessing.TYPE_NAME:
            utils.refactor_model_blessing(artifact, name_from_id)  # the models' names for TFX's ids
    outputs_utils.tag_output_artifacts_with_version(outputs)
    result = pipeline_spec_pb2.ExecutorOutput()
    for name, artifacts in utils.translate_executor_output(outputs, name_from_id).items():
        result.artifacts[name].CopyFrom(artifacts)
    for name in message.outputs.parameters:
        json_format.ParseDict(outputs[name][0].read(), result.parameter_values[name])
    return json_format.MessageToDict(result)


def _properties(values: Mapping[str, Any], inputs_spec: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the executor's properties; the JSON has only doubles, the specification the types."""
    kinds = inputs_spec.get("parameters", {})
    whole = {
        name for name, given in kinds.items() if given.get("parameterType") == "NUMBER_INTEGER"
    }
    return {
        name: int(value) if name in whole and not isinstance(value, bool) else value
        for name, value in values.items()
    }


def with_local_data(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Copies class data from object storage to this step's disk and returns the copy's location."""
    result = dict(properties)
    config = json.loads(result.get("config_json") or "{}")
    for key in ("path", "data_dir"):
        location = config.get("data", {}).get(key)
        if location and object_storage.is_remote(location):
            folder = tempfile.mkdtemp(prefix="data-")
            object_storage.fetch(location, folder)
            config["data"][key] = folder
            result["config_json"] = json.dumps(config)
    return result
