"""What the image holds, without an engine: the wheel in an environment outside the checkout."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.kubeflow import self_test

DOCKERFILE = Path("pipeline/docker/Dockerfile")
UV = Path(".uv/bin/uv")
TOOLS = {"check-jsonschema", "dask", "distributed", "mypy", "pytest", "ruff"}


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
    lock = Path(".requirements/production.txt").resolve()

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


def test_the_self_test_looks_for_every_page_of_the_reports():
    pages = {path.as_posix() for path in Path("components").rglob("*.html")}
    needed = {f"{package.replace('.', '/')}/{file}" for package, file in self_test.FILES}
    assert all(Path(path).exists() for path in needed)
    assert {path for path in pages if path.endswith(("page.html", "report.html"))} <= needed


def test_the_dockerfile_keeps_the_rules_of_the_cluster():
    text = DOCKERFILE.read_text()
    assert re.search(r"^USER \d+$", text, re.M), "Kubernetes needs a numeric user"
    assert "ENTRYPOINT [" not in text
    assert "--require-hashes" in text and "UV_COMPILE_BYTECODE=1" in text
    assert re.findall(r"^FROM (\S+)", text, re.M) == ["python:3.11", "python:3.11-slim"]
    assert re.search(r"chmod 0775 .*/home/fewshot", text), "a cluster may choose another user"


def test_the_docker_context_is_what_the_wheel_needs():
    lines = Path("pipeline/docker/Dockerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    assert all(Path(path).exists() for path in kept)
    copied = re.findall(r"^COPY (\S+)", DOCKERFILE.read_text(), re.M)
    assert ".requirements/production.txt" in copied and ".requirements/production.txt" in kept


def locked(name: str) -> dict[str, str]:
    """Version of each package of a lock file; every one has a hash."""
    text = Path(f".requirements/{name}.txt").read_text()
    entries = re.findall(
        r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)((?: \\\n    --hash=\S+)*)", text, re.M
    )
    assert all(hashes for _, _, hashes in entries)
    return {package: version for package, version, _ in entries}


def test_production_has_the_versions_of_the_lock_and_no_tools():
    tools, production = locked("lock"), locked("production")
    assert set(tools) >= TOOLS and not set(production) & TOOLS
    assert not [name for name in production if name.startswith("types-")]
    assert production.items() <= tools.items()
    assert {"tensorflow", "tfx", "apache-beam", "kfp", "grpcio", "s3fs"} <= set(production)


@pytest.mark.parametrize("path", sorted(Path(".requirements").glob("*.txt")), ids=lambda p: p.stem)
def test_no_lock_names_an_index(path):
    assert not re.search(r"://|--(extra-)?index-url|--find-links", path.read_text())
