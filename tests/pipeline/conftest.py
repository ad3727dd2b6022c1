"""What several tests need once: the wheel of this checkout, and an engine of Beam."""

import re
import shutil
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Built from a copy, so that setuptools leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("components", "pipeline", "serving"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(name, folder / "project" / name, ignore=ignore)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(name, folder / "project" / name)
    command = [
        sys.executable,
        "-c",
        "from setuptools import build_meta; build_meta.build_wheel('..')",
    ]
    subprocess.run(command, cwd=folder / "project", check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def start_module():
    """Starts a module of Python as a program and returns the first line that it prints."""
    processes = []

    def start(*arguments):
        command = [sys.executable, "-m", *map(str, arguments)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process.stdout.readline().strip()

    yield start
    for process in processes:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def job_service(start_module, tmp_path_factory):
    """Address of Beam's own job service."""
    port = start_module("tests.pipeline.job_service", tmp_path_factory.mktemp("staging"))
    return f"localhost:{port}"


@pytest.fixture(scope="session")
def process_workers(tmp_path_factory):
    """Beam options for workers that the engine starts as processes: ours."""
    command = tmp_path_factory.mktemp("bin") / "worker"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipeline.beam_worker "$@"\n')
    command.chmod(0o755)
    return ["--environment_type=PROCESS", f"--environment_option=process_command={command}"]


@pytest.fixture(scope="session")
def external_workers(start_module):
    """Beam options for workers out of a pool of ours."""
    line = start_module("pipeline.beam_worker", "--worker_pool", "--service_port=0")
    address = re.fullmatch(r"worker pool at (localhost:\d+)", line)[1]
    return ["--environment_type=EXTERNAL", f"--environment_config={address}"]


@pytest.fixture(scope="session", params=["process", "external"])
def engine_args(request, job_service):
    """Beam options for an engine whose workers are ours: as a process, and out of a pool."""
    workers = request.getfixturevalue(f"{request.param}_workers")
    return ["--runner=PortableRunner", f"--job_endpoint={job_service}", *workers]
