"""Clusters of Flink and Spark on this machine, of PyPI's packages, with the shipped settings."""

import contextlib
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.beam_options import JAVA_OPTIONS

_FLINK = "org.apache.flink.runtime"
_SPARK = "org.apache.spark.deploy"


class JavaCluster(NamedTuple):
    """A running cluster."""

    address: str  # for jobs
    state: dict  # what it says of itself


def jars(module: str, package: str, marker: str) -> Path:
    """The folder of a package that holds a file `marker`; skips the test where there is none."""
    spec = importlib.util.find_spec(module)
    places = map(Path, list(spec.submodule_search_locations or ()) if spec else [])
    found = [place for place in places if list(place.glob(marker))]
    if not found:
        pytest.skip(f"the package {package} is not installed")
    if not shutil.which("java"):
        pytest.skip("no java is on the PATH")
    return found[0]


@contextlib.contextmanager
def flink_cluster(settings: dict, task_managers: int, folder: Path) -> Iterator[JavaCluster]:
    """Runs a job manager and task managers with settings of Flink's configuration file."""
    home = jars("pyflink", "apache-flink-libraries", "bin/bash-java-utils.jar")
    rest, rpc = _free_ports(2)
    settings = settings | {"jobmanager.rpc.address": "localhost", "jobmanager.rpc.port": rpc}
    settings |= {"rest.port": rest, "rest.bind-address": "localhost", "blob.server.port": "0"}
    lines = "".join(f"{key}: {value}\n" for key, value in settings.items())
    (folder / "config.yaml").write_text(lines)
    classes = ":".join(map(str, sorted((home / "lib").glob("*.jar"))))
    config = ["--configDir", str(folder)]
    # As Flink's own scripts ask for the sizes: it refuses settings that do not add up.
    utils = ["java", "-cp", f"{home}/bin/bash-java-utils.jar:{classes}"]
    utils += [f"{_FLINK}.util.bash.BashJavaUtils", "GET_TM_RESOURCE_PARAMS", *config]
    said = subprocess.run(utils, capture_output=True, text=True)
    results = re.findall(r"BASH_JAVA_UTILS_EXEC_RESULT:(.*)", said.stdout)
    assert len(results) == 2, said.stdout + said.stderr
    memory, dynamic = (line.split() for line in results)
    java = ["java", *JAVA_OPTIONS, "-cp", classes]
    manager = [*java, f"{_FLINK}.entrypoint.StandaloneSessionClusterEntrypoint", *config]
    worker = ["java", *memory, *java[1:], f"{_FLINK}.taskexecutor.TaskManagerRunner"]
    commands = [manager, *[[*worker, *config, *dynamic]] * task_managers]
    slots = task_managers * settings["taskmanager.numberOfTaskSlots"]
    url = f"http://localhost:{rest}/overview"
    with _running(commands, folder, url, lambda state: state.get("slots-total") == slots) as state:
        yield JavaCluster(f"localhost:{rest}", state)


@contextlib.contextmanager
def spark_cluster(worker_arguments: list[str], workers: int, folder: Path) -> Iterator[JavaCluster]:
    """Runs a master and workers, these with the arguments before the master's address."""
    home = jars("pyspark", "pyspark", "jars/spark-core_*.jar")
    port, web = _free_ports(2)
    java = ["java", *JAVA_OPTIONS, "-cp", f"{home}/jars/*"]
    places = ["--host", "localhost", "--port", str(port), "--webui-port", str(web)]
    address = f"spark://localhost:{port}"
    worker = [*java, f"{_SPARK}.worker.Worker", "--webui-port", "0", *worker_arguments, address]
    commands = [[*java, f"{_SPARK}.master.Master", *places], *[worker] * workers]
    url = f"http://localhost:{web}/json/"
    with _running(commands, folder, url, lambda s: s.get("aliveworkers") == workers) as state:
        yield JavaCluster(address, state)


@contextlib.contextmanager
def _running(
    commands: list[list[str]], folder: Path, url: str, ready: Callable[[dict], bool]
) -> Iterator[dict]:
    """Runs programs, with their logs in a folder, and gives the JSON at `url` when it is ready."""
    processes: list[subprocess.Popen] = []
    try:
        for number, command in enumerate(commands):
            with (folder / f"{number}.log").open("w") as log:
                processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        state: dict = {}
        deadline = time.monotonic() + 120
        while not ready(state):
            assert time.monotonic() < deadline, _logs(folder)
            assert all(process.poll() is None for process in processes), _logs(folder)
            time.sleep(0.3)
            with contextlib.suppress(OSError), urllib.request.urlopen(url) as answer:
                state = json.load(answer)
        yield state
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]


def _logs(folder: Path) -> str:
    return "\n".join(log.read_text()[-3000:] for log in sorted(folder.glob("*.log")))
