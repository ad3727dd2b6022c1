"""The worker under Beam's own job service, as a process and out of a pool."""

import argparse
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import apache_beam as beam
import grpc
import pytest
from apache_beam.portability.api import beam_fn_api_pb2 as fn_api
from apache_beam.portability.api import beam_provision_api_pb2 as provision
from apache_beam.portability.api import beam_provision_api_pb2_grpc as provision_grpc
from google.protobuf import struct_pb2

from components.single_threaded import pool_threads
from pipeline import beam_worker, beam_worker_pool


def run(args, folder):
    """What the worker that got each of three numbers, in their order, says of itself."""

    # Inside this function, so that Beam sends it by value: workers cannot import the tests.
    def tell(number):
        import json
        import os
        import sys
        from pathlib import Path

        from components.single_threaded import __name__ as imported

        threads = os.environ["TF_NUM_INTRAOP_THREADS"]
        facts = {"file": sys.argv[0], "pid": os.getpid(), "imported": imported, "threads": threads}
        Path(folder, f"{number}.json").write_text(json.dumps(facts))

    with beam.Pipeline(argv=args) as pipeline:
        pipeline | beam.Create([0, 1, 2]) | beam.Map(tell)
    return [json.loads(path.read_text()) for path in sorted(folder.iterdir())]


def test_the_worker_runs_a_pipeline_in_a_process_of_its_own(engine_args, tmp_path):
    found = run(engine_args, tmp_path)
    assert len(found) == 3
    for facts in found:
        assert facts["file"].endswith("pipeline/beam_worker.py") and facts["pid"] != os.getpid()
        assert facts["imported"] == "components.single_threaded"
        # As `fewshot run` sets it, so that results are the same.
        assert facts["threads"] == str(pool_threads())


class ProvisionService(provision_grpc.ProvisionServiceServicer):
    """Tells each worker about a job."""

    def __init__(self):
        self.asked = []

    def GetProvisionInfo(self, request, context):
        self.asked.append(dict(context.invocation_metadata())["worker_id"])
        options = struct_pb2.Struct()
        options.update({"beam:option:job_name:v1": "episodes"})
        info = provision.ProvisionInfo(
            pipeline_options=options, runner_capabilities=["a", "b"], sibling_worker_ids=["1-2"]
        )
        for name in ("control", "logging", "status"):
            getattr(info, f"{name}_endpoint").url = f"engine:{name}"
        return provision.GetProvisionInfoResponse(info=info)


@pytest.fixture
def provision_service():
    server, service = grpc.server(ThreadPoolExecutor()), ProvisionService()
    provision_grpc.add_ProvisionServiceServicer_to_server(service, server)
    service.address = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    yield service
    server.stop(0)


def endpoints(**given):
    names = dict.fromkeys(beam_worker_pool.ENDPOINTS, "")
    return argparse.Namespace(id="1-1", **names | given)


def test_what_is_not_given_is_asked_of_the_provision_service(provision_service):
    info = beam_worker._provision_info(provision_service.address, "1-1")
    assert provision_service.asked == ["1-1"]
    environment = beam_worker.harness_environment(endpoints(), info)
    assert environment["CONTROL_API_SERVICE_DESCRIPTOR"] == 'url: "engine:control"\n'
    assert environment["LOGGING_API_SERVICE_DESCRIPTOR"] == 'url: "engine:logging"\n'
    assert environment["STATUS_API_SERVICE_DESCRIPTOR"] == 'url: "engine:status"\n'
    assert json.loads(environment["PIPELINE_OPTIONS"]) == {"beam:option:job_name:v1": "episodes"}
    assert (environment["WORKER_ID"], environment["RUNNER_CAPABILITIES"]) == ("1-1", "a b")
    # As a container's command line names them all: what is given comes first.
    given = beam_worker.harness_environment(endpoints(control_endpoint="mine:1"), info)
    assert given["CONTROL_API_SERVICE_DESCRIPTOR"] == 'url: "mine:1"\n'


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "`--id` must name the worker"),
        (["--id=1-1"], "`--control_endpoint` must be given"),
        (["--id=1-1", "--provision_endpoint=localhost:1"], "localhost:1 gave DEADLINE_EXCEEDED"),
        (["--worker_pool", "--host=256.0.0.1"], "`--service_port` must be a free port"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_status_2(arguments, said, monkeypatch, capsys):
    monkeypatch.setattr(beam_worker, "PROVISION_SECONDS", 0.2)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    assert beam_worker.main(arguments) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert said in error[-1] and error[-1].startswith("error: ")


def test_a_pool_runs_one_worker_of_an_id(monkeypatch):
    monkeypatch.setattr(beam_worker_pool, "GRACE_SECONDS", 0.2)
    started, popen = [], subprocess.Popen

    def sleep(command):
        started.append(command)
        return popen(["sleep", "60"])

    monkeypatch.setattr(subprocess, "Popen", sleep)
    pool, request = beam_worker_pool.WorkerPool(), fn_api.StartWorkerRequest(worker_id="1-1")
    request.control_endpoint.url = "engine:1"
    assert pool.StartWorker(request, None).error == ""
    assert started[0][1:4] == ["-m", "pipeline.beam_worker", "--id=1-1"]
    assert "--control_endpoint=engine:1" in started[0]
    # A second task manager, whose first worker has the same id.
    assert "a pool of its own" in pool.StartWorker(request, None).error and len(started) == 1
    pool.StopWorker(fn_api.StopWorkerRequest(worker_id="1-1"), None)
    assert pool.StartWorker(request, None).error == "" and len(started) == 2
    pool.close()
    assert all(worker.poll() is not None for worker in pool._workers.values())
