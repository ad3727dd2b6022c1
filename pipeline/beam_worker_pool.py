"""Beam's service that starts a worker process for each request (`--environment_type=EXTERNAL`)."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2 as fn_api
from apache_beam.portability.api import beam_fn_api_pb2_grpc as fn_api_grpc

from serving.errors import UserError

GRACE_SECONDS = 10.0
ENDPOINTS = ("logging_endpoint", "artifact_endpoint", "provision_endpoint", "control_endpoint")


class WorkerPool(fn_api_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts and stops `pipeline.beam_worker` processes, by the id that the engine gives each."""

    def __init__(self) -> None:
        self._workers: dict[str, subprocess.Popen] = {}

    def StartWorker(self, request: Any, context: Any) -> Any:
        """Starts a worker; the answer holds an error if one of the same id still runs."""
        try:
            if request.worker_id in self._workers:  # it ends by itself when its engine leaves
                self._workers[request.worker_id].wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return fn_api.StartWorkerResponse(
                error=f"The pool already runs a worker {request.worker_id}: give each task manager "
                "or executor a pool of its own, for all of them count their workers from 1."
            )
        given = [f"--{name}={getattr(request, name).url}" for name in ENDPOINTS]
        command = [sys.executable, "-m", "pipeline.beam_worker", f"--id={request.worker_id}"]
        self._workers[request.worker_id] = subprocess.Popen([*command, *given])
        return fn_api.StartWorkerResponse()

    def StopWorker(self, request: Any, context: Any) -> Any:
        """Stops a worker, if it runs."""
        worker = self._workers.pop(request.worker_id, None)
        if worker is not None:
            _stop(worker)
        return fn_api.StopWorkerResponse()

    def close(self) -> None:
        """Stops all workers."""
        for worker in self._workers.values():
            _stop(worker)


def _stop(worker: subprocess.Popen) -> None:
    worker.terminate()
    try:
        worker.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


def run_pool(host: str, port: int) -> None:
    """Serves a pool on an address until SIGTERM or Ctrl-C; port 0 is any free one.

    Raises:
      UserError: the port cannot be opened.
    """
    # One thread: requests come one after another.
    server, pool = grpc.server(ThreadPoolExecutor(max_workers=1)), WorkerPool()
    fn_api_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    try:
        port = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        raise UserError(f"`--service_port` must be a free port of {host}: got {port}.") from None
    server.start()
    print(f"worker pool at {host}:{port}", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop(grace=0))
    server.wait_for_termination()
    pool.close()
