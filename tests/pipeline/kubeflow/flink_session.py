"""A Flink session cluster on this machine, with the settings of flink.yaml."""

import contextlib
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.beam_options import JAVA_OPTIONS

RUNTIME = "org.apache.flink.runtime"
JOB_MANAGER = f"{RUNTIME}.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = f"{RUNTIME}.taskexecutor.TaskManagerRunner"


def jars() -> Path:
    """The folder of the package apache-flink-libraries; skips the test where there is none."""
    spec = importlib.util.find_spec("pyflink")
    places = map(Path, list(spec.submodule_search_locations or ()) if spec else [])
    found = [place for place in places if (place / "bin/bash-java-utils.jar").exists()]
    if not found:
        pytest.skip("the package apache-flink-libraries is not installed")
    if not shutil.which("java"):
        pytest.skip("no java is on the PATH")
    return found[0]


@contextlib.contextmanager
def session(settings: dict, task_managers: int, folder: Path) -> Iterator[dict]:
    """Runs a job manager and task managers; gives what they say of themselves, and `address`."""
    home = jars()
    rest, rpc = _free_ports(2)
    settings = settings | {"jobmanager.rpc.address": "localhost", "jobmanager.rpc.port": rpc}
    settings |= {"rest.port": rest, "rest.bind-address": "localhost", "blob.server.port": "0"}
    lines = "".join(f"{key}: {value}\n" for key, value in settings.items())
    (folder / "config.yaml").write_text(lines)
    classes = ":".join(map(str, sorted((home / "lib").glob("*.jar"))))
    config = ["--configDir", str(folder)]
    # As Flink's own scripts ask for the sizes: it refuses settings that do not add up.
    utils = ["java", "-cp", f"{home}/bin/bash-java-utils.jar:{classes}"]
    utils += [f"{RUNTIME}.util.bash.BashJavaUtils", "GET_TM_RESOURCE_PARAMS", *config]
    said = subprocess.run(utils, capture_output=True, text=True)
    results = re.findall(r"BASH_JAVA_UTILS_EXEC_RESULT:(.*)", said.stdout)
    assert len(results) == 2, said.stdout + said.stderr
    memory, dynamic = (line.split() for line in results)
    java = ["java", *JAVA_OPTIONS, "-cp", classes]
    processes: list[subprocess.Popen] = []

    def start(command: list[str], name: str) -> None:
        with (folder / f"{name}.log").open("w") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))

    try:
        start([*java, JOB_MANAGER, *config], "job-manager")
        for number in range(task_managers):
            command = ["java", *memory, *java[1:], TASK_MANAGER, *config, *dynamic]
            start(command, f"task-manager-{number}")
        overview: dict = {}
        deadline = time.monotonic() + 120
        slots = task_managers * settings["taskmanager.numberOfTaskSlots"]
        while overview.get("slots-total") != slots:
            assert time.monotonic() < deadline, _logs(folder)
            assert all(process.poll() is None for process in processes), _logs(folder)
            time.sleep(0.3)
            url = f"http://localhost:{rest}/overview"
            with contextlib.suppress(OSError), urllib.request.urlopen(url) as answer:
                overview = json.load(answer)
        yield overview | {"address": f"localhost:{rest}"}
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
