"""Runs servers in processes of their own, and reports measurements of them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import reporting
from benchmarks.serving import tables
from serving.client import FewShotClient, StatusError
from serving.protocol import messages
from serving.protocol.tensors import write_tensor

MODEL_NAME = "few_shot"
_SERVE = "from serving.model_server.command import serve; serve()"


def free_port() -> int:
    """Finds a port that is not in use."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def command(base_path: Path, port: int, *flags: str) -> list[str]:
    """The command of `fewshot serve` on the loopback interface only."""
    start = [sys.executable, "-c", _SERVE, "--host=localhost", f"--model_base_path={base_path}"]
    return [*start, f"--model_name={MODEL_NAME}", f"--port={port}", *flags]


def launch(base_path: Path, port: int, *flags: str, log: Path) -> subprocess.Popen:
    """Starts `fewshot serve` in a process of its own."""
    with open(log, "ab") as output:
        return subprocess.Popen(command(base_path, port, *flags), stdout=output, stderr=output)


@contextmanager
def serving(base_path: Path, *flags: str, log: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """Runs a server in the block; yields its gRPC address and process once it answers."""
    port = free_port()
    process = launch(base_path, port, *flags, log=log)
    address = f"localhost:{port}"
    try:
        wait_until_it_answers(address, 300.0)  # a busy machine takes long to import TensorFlow
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_until_it_answers(address: str, seconds: float = 60.0) -> float:
    """Waits for a server's first reply, and returns the seconds until then."""
    start = time.monotonic()
    with FewShotClient.connect(address, MODEL_NAME, timeout=seconds) as client:
        try:
            client.signatures  # noqa: B018
        except StatusError as error:
            raise RuntimeError(f"no server at {address}: {error}") from error
    return time.monotonic() - start


def resident_bytes(pid: int) -> int:
    """Reads the memory of a process (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Reads the processor time of a process (Linux), comparable on a busy machine too."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def predict_request(inputs: Mapping[str, np.ndarray], signature_name: str = "") -> Any:
    """Makes the message of a Predict request."""
    request: Any = messages.PredictRequest()
    request.model_spec.name = MODEL_NAME
    request.model_spec.signature_name = signature_name
    for name, array in inputs.items():
        write_tensor(array, request.inputs[name])
    return request


def report(name: str, configuration: dict[str, Any], result: dict[str, Any], folder: Path) -> None:
    """Writes a result with its configuration, the commit and the machine, and prints its table."""
    document = {"configuration": configuration, "result": result}
    note = "a shared machine: only ratios of one run mean anything"
    document |= reporting.about() | {"note": note}
    reporting.report(name, document, folder, tables.TABLES[name])
