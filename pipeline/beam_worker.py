"""The worker of Beam's engines: runs this project's functions for Flink, Spark and Dataflow.

    fewshot-beam-worker --id=ID --provision_endpoint=HOST:PORT     one worker
    fewshot-beam-worker --worker_pool [--service_port=50000]       a pool that starts them

An engine starts the first itself, as a process (`--environment_type=PROCESS`) or as a container of
the project's image (`DOCKER`), with more endpoints or fewer; it asks the second for workers
(`EXTERNAL`). `python -m pipeline.beam_worker` is the same command.

It stands in for Beam's boot program and installs nothing: the environment already holds the project
and its packages. What a pipeline stages for its workers, as TFX its own source code, is left alone.
"""

import argparse
import os
import subprocess
import sys

import grpc
from apache_beam.portability.api import beam_provision_api_pb2 as provision
from apache_beam.portability.api import beam_provision_api_pb2_grpc as provision_grpc
from apache_beam.portability.api import endpoints_pb2
from google.protobuf import json_format, text_format

from components.single_threaded import use_single_threaded_operations
from pipeline.beam_worker_pool import ENDPOINTS, run_pool
from serving.errors import UserError

PROVISION_SECONDS = 60.0
HARNESS = "apache_beam.runners.worker.sdk_worker_main"


def main(argv: list[str] | None = None) -> int:
    """Runs a worker or a pool until the engine or a signal ends it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="fewshot-beam-worker", allow_abbrev=False)
    parser.add_argument("--worker_pool", action="store_true", help="start workers on request")
    parser.add_argument("--host", default="localhost", help="address that the pool listens on")
    parser.add_argument("--service_port", type=int, default=50000, help="port of the pool")
    parser.add_argument("--id", default="", help="the worker's id")
    for name in ENDPOINTS:
        parser.add_argument(f"--{name}", default="", help="HOST:PORT, from the engine")
    # Engines may give Beam's boot program more flags, which concern what it installs.
    arguments, _ = parser.parse_known_args(argv)
    try:
        if arguments.worker_pool:
            run_pool(arguments.host, arguments.service_port)
        else:
            run_worker(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def run_worker(arguments: argparse.Namespace) -> None:
    """Runs the worker of an id, and those that the engine wants beside it in the same container.

    Raises:
      UserError: an argument is missing, or the provision service does not answer.
    """
    use_single_threaded_operations()
    info = _provision_info(arguments.provision_endpoint, arguments.id)
    os.environ.update(harness_environment(arguments, info))
    command = [sys.executable, "-m", HARNESS]
    others = [
        subprocess.Popen(command, env={**os.environ, "WORKER_ID": sibling})
        for sibling in info.sibling_worker_ids
    ]
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)
    for process in others:
        process.wait()


def _provision_info(endpoint: str, worker_id: str) -> provision.ProvisionInfo:
    """Asks the engine's provision service about the job; an empty message without an endpoint."""
    if not worker_id:
        raise UserError("`--id` must name the worker, or `--worker_pool` be given.")
    if not endpoint:
        return provision.ProvisionInfo()
    with grpc.insecure_channel(endpoint) as channel:
        try:
            return (
                provision_grpc.ProvisionServiceStub(channel)
                .GetProvisionInfo(
                    provision.GetProvisionInfoRequest(),
                    metadata=[("worker_id", worker_id)],
                    timeout=PROVISION_SECONDS,
                    wait_for_ready=True,
                )
                .info
            )
        except grpc.RpcError as error:
            raise UserError(
                f"`--provision_endpoint` must be the address of a Beam engine's provision service: "
                f"{endpoint} gave {error.code().name}."  # type: ignore[attr-defined]
            ) from None


def harness_environment(
    arguments: argparse.Namespace, info: provision.ProvisionInfo
) -> dict[str, str]:
    """Returns the environment variables that Beam's worker reads.

    Args:
      arguments: the id and the endpoints of the command line, which come first.
      info: ProvisionInfo of the engine, for the endpoints that were not given, and for the rest.

    Raises:
      UserError: neither names the control endpoint.
    """
    urls = {
        "CONTROL": arguments.control_endpoint or info.control_endpoint.url,
        "LOGGING": arguments.logging_endpoint or info.logging_endpoint.url,
        "STATUS": info.status_endpoint.url,
    }
    if not urls["CONTROL"]:
        raise UserError(
            "`--control_endpoint` must be given, or `--provision_endpoint`, whose service names it."
        )
    descriptors = {
        f"{name}_API_SERVICE_DESCRIPTOR": text_format.MessageToString(
            endpoints_pb2.ApiServiceDescriptor(url=url)
        )
        for name, url in urls.items()
        if url
    }
    return {
        **descriptors,
        "WORKER_ID": arguments.id,
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
    }


if __name__ == "__main__":
    sys.exit(main())
