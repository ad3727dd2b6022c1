"""Beam's own job service, which also starts workers as processes, as engines in Java do.

Beam's has workers of a pool (EXTERNAL) and in containers (DOCKER), but none for PROCESS. Prints its
port.
"""

import subprocess
import sys

from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability import local_job_service
from apache_beam.runners.portability.fn_api_runner import worker_handlers


@worker_handlers.WorkerHandler.register_environment(
    common_urns.environments.PROCESS.urn, beam_runner_api_pb2.ProcessPayload
)
class ProcessWorkerHandler(worker_handlers.GrpcWorkerHandler):
    """Starts the command with the arguments that Flink's and Spark's job servers give it."""

    def __init__(self, payload, state, provision_info, grpc_server):
        super().__init__(state, provision_info, grpc_server)
        self.command = payload.command

    def start_worker(self):
        given = [f"--id={self.worker_id}", f"--provision_endpoint={self.control_address}"]
        self.process = subprocess.Popen([self.command, *given])

    def stop_worker(self):
        self.process.wait()

    def host_from_worker(self):
        return "localhost"


def main(staging_dir: str) -> None:
    """Runs the service until its standard input ends."""
    service = local_job_service.LocalJobServicer(staging_dir)
    print(service.start_grpc_server(0), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
