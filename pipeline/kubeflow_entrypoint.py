"""The program of each step's container: runs one TFX executor on the backend's ExecutorInput.

    python -m pipeline.kubeflow_entrypoint --executor_class_path CLASS
        --json_serialized_invocation_args EXECUTOR_INPUT
        --json_serialized_inputs_spec_args COMPONENT_INPUTS_SPEC [Beam options]

TFX's own entrypoint cannot run a pipeline of several steps on the open-source backend:
`kubeflow.executor_input` says why. `--self_test` tests an image without a cluster.
"""

import argparse
import json
import os
import sys
import traceback

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from components.single_threaded import use_single_threaded_operations
from pipeline.beam_options import prepare_java
from pipeline.kubeflow.executor_input import from_tfx, to_tfx
from pipeline.kubeflow.mistakes import repeated_at_once
from pipeline.kubeflow.run_executor import run_executor
from pipeline.kubeflow.shown import shown_outputs
from serving import atomic
from serving.errors import UserError


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
        if arguments.own_code:
            from pipeline.kubeflow.own_parts import make_importable

            make_importable(arguments.own_code)
        prepare_java(beam_args)
        path, direct = arguments.executor_class_path, arguments.direct
        with repeated_at_once(executor_input):
            local = to_tfx(executor_input, inputs_spec, declared_types=declared, direct=direct)
            output = run_executor(path, local, inputs_spec, beam_args, direct=direct)
            output.get("artifacts", {}).update(shown_outputs(executor_input, output, direct=direct))
        reported = from_tfx(output, executor_input, direct=direct)
        atomic.write_json(executor_input["outputs"]["outputFile"], reported)
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
    parser.add_argument("--own_code")
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--self_test", action="store_true")
    return parser


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # TensorFlow, Beam and gRPC may abort at the interpreter's shutdown, after all work is done.
    os._exit(status)
