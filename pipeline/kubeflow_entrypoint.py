"""What each step's container runs: one TFX executor, with what Kubeflow's backend gave it.

    python -m pipeline.kubeflow_entrypoint --executor_class_path CLASS
        --json_serialized_invocation_args EXECUTOR_INPUT
        --json_serialized_inputs_spec_args COMPONENT_INPUTS_SPEC [Beam options]

TFX's own entrypoint cannot run a pipeline of several steps on the open-source backend: see
`kubeflow.executor_input` for what it stumbles over. `--self_test` tries an image without a cluster.
"""

import argparse
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from components.single_threaded import use_single_threaded_operations
from pipeline.kubeflow.executor_input import mended, restored
from serving import atomic
from serving.errors import UserError
from serving.model_versions import object_storage


def main(argv: list[str]) -> int:
    """Runs a step and returns the exit status: 0 done, 1 failed, 2 a user's mistake."""
    use_single_threaded_operations()
    arguments, beam_args = _parser().parse_known_args(argv)
    try:
        if arguments.self_test:
            from pipeline.kubeflow.self_test import self_test

            self_test()
            return 0
        executor_input = json.loads(arguments.json_serialized_invocation_args)
        inputs_spec = json.loads(arguments.json_serialized_inputs_spec_args or "{}")
        declared = dict(pair.split(":") for pair in arguments.declared_types.split(",") if pair)
        local = mended(
            executor_input, inputs_spec, declared_types=declared, direct=arguments.direct
        )
        output = run_executor(
            arguments.executor_class_path, local, inputs_spec, beam_args, direct=arguments.direct
        )
        atomic.write_json(executor_input["outputs"]["outputFile"], restored(output, executor_input))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--executor_class_path")
    parser.add_argument("--json_serialized_invocation_args")
    parser.add_argument("--json_serialized_inputs_spec_args")
    parser.add_argument("--declared_types", default="")
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--self_test", action="store_true")
    return parser


def run_executor(
    class_path: str,
    executor_input: Mapping[str, Any],
    inputs_spec: Mapping[str, Any],
    beam_args: list[str],
    *,
    direct: bool = False,
) -> dict[str, Any]:
    """Runs a TFX executor on a mended ExecutorInput; returns the ExecutorOutput, both as JSON."""
    from absl import logging
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2
    from tfx.dsl.components.base import base_beam_executor, base_executor
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as utils
    from tfx.orchestration.portable import outputs_utils
    from tfx.utils import import_utils

    logging.set_verbosity(logging.INFO)
    message = pipeline_spec_pb2.ExecutorInput()
    json_format.ParseDict(executor_input, message, ignore_unknown_fields=True)
    name_from_id: dict[int, str] = {}
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
    context: dict[str, Any] = {
        "unique_id": os.path.basename(task_root),
        "tmp_dir": os.path.join(task_root, ".temp"),
    }
    if issubclass(executor_class, base_beam_executor.BaseBeamExecutor):
        made = base_beam_executor.BaseBeamExecutor.Context(beam_pipeline_args=beam_args, **context)
    else:
        made = base_executor.BaseExecutor.Context(extra_flags=beam_args, **context)
    executor_class(made).Do(inputs, outputs, properties)

    outputs_utils.tag_output_artifacts_with_version(outputs)
    result = pipeline_spec_pb2.ExecutorOutput()
    for name, found in utils.translate_executor_output(outputs, name_from_id).items():
        result.artifacts[name].CopyFrom(found)
    for name in message.outputs.parameters:
        json_format.ParseDict(outputs[name][0].read(), result.parameter_values[name])
    return json_format.MessageToDict(result)


def _properties(values: Mapping[str, Any], inputs_spec: Mapping[str, Any]) -> dict[str, Any]:
    """Every number of an ExecutorInput is a double; the specification knows which are integers."""
    kinds = {
        name: given.get("parameterType")
        for name, given in inputs_spec.get("parameters", {}).items()
    }
    return {
        name: int(value)
        if kinds.get(name) == "NUMBER_INTEGER" and not isinstance(value, bool)
        else value
        for name, value in values.items()
    }


def with_local_data(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Fetches class data that lie in object storage to this step's disk, and points to the copy."""
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


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # TensorFlow, Beam and gRPC may abort at the interpreter's shutdown, after all work is done.
    os._exit(status)
