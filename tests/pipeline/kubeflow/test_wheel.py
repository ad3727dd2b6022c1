"""What the image holds, without an engine: the wheel in an environment outside the checkout."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

DOCKERFILE = Path("pipeline/docker/Dockerfile")
UV = Path(".uv/bin/uv")


@pytest.fixture(scope="module")
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


@pytest.mark.cluster
def test_the_wheel_holds_all_that_the_checkout_has(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    for package in ("components", "pipeline", "serving"):
        for path in Path(package).rglob("*"):
            if path.suffix in (".py", ".yaml", ".html", ".j2", ".config", ".yml"):
                assert path.as_posix() in held, f"{path} is not in the wheel"


@pytest.mark.cluster
def test_the_wheel_runs_outside_the_checkout(wheel, tmp_path):
    if not UV.exists():
        pytest.skip("uv is not at .uv/bin/uv; `make setup` puts it there")
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["VIRTUAL_ENV"] = str(tmp_path / "venv")
    lock = Path(".requirements/lock.txt").resolve()

    def run(*command, **options):
        done = subprocess.run(
            [str(word) for word in command],
            env=environment,
            cwd=tmp_path,
            text=True,
            capture_output=True,
            **options,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    uv = UV.resolve()
    run(uv, "venv", "--python", sys.executable, tmp_path / "venv")
    run(uv, "pip", "sync", "--require-hashes", lock)
    run(uv, "pip", "install", "--no-deps", wheel)
    python = tmp_path / "venv/bin/python"
    where = run(python, "-c", "import pipeline; print(pipeline.__file__)")
    assert str(tmp_path) in where
    said = run(python, "-m", "pipeline.kubeflow_entrypoint", "--self_test")
    assert "executors import" in said and "one step ran" in said
    run(tmp_path / "venv/bin/fewshot", "--help")


def test_the_dockerfile_keeps_the_rules_of_the_cluster():
    text = DOCKERFILE.read_text()
    assert re.search(r"^USER \d+$", text, re.M), "Kubernetes needs a numeric user"
    assert "ENTRYPOINT [" not in text
    assert "--require-hashes" in text and "UV_COMPILE_BYTECODE=1" in text
    assert text.count("FROM python:3.11-slim") == 2


def test_the_docker_context_is_what_the_wheel_needs():
    lines = Path("pipeline/docker/Dockerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    assert all(Path(path).exists() for path in kept)
    copied = re.findall(r"^COPY (\S+)", DOCKERFILE.read_text(), re.M)
    assert ".requirements/lock.txt" in copied and ".requirements/lock.txt" in kept
