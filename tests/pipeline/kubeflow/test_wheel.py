"""What the image holds, without an engine: the wheel in an environment outside the checkout."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from pipeline.kubeflow import self_test

COMPOSE = yaml.safe_load(Path("serving/deploy/compose.yaml").read_text())
DOCKERFILE = Path("pipeline/docker/Dockerfile")
UV = Path(".uv/bin/uv")
TOOLS = {"check-jsonschema", "dask", "distributed", "mypy", "pytest", "ruff"}


def test_the_wheel_holds_all_that_the_checkout_has(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    for package in ("components", "pipeline", "serving"):
        for path in Path(package).rglob("*"):
            if path.suffix in (".py", ".yaml", ".html", ".j2", ".config", ".yml"):
                assert path.as_posix() in held, f"{path} is not in the wheel"


def test_the_self_test_passes_from_the_wheel_outside_the_checkout(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    command = [sys.executable, "-m", "pipeline.kubeflow_entrypoint", "--self_test"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-4000:]
    files = f"{len(self_test.FILES)} packaged files are there"
    parts = ["11 executors import", files, "one step ran"]
    assert [line for line in done.stdout.splitlines() if line in parts] == parts


@pytest.mark.cluster
def test_the_packages_for_gpus_resolve_with_those_of_the_image(tmp_path):
    if not UV.exists():
        pytest.skip("uv is not at .uv/bin/uv; `make setup` puts it there")
    environment = os.environ | {"VIRTUAL_ENV": str(tmp_path)}
    command = [UV.resolve(), "venv", "--quiet", "--python", sys.executable, tmp_path]
    subprocess.run(command, check=True, env=environment)
    files = [f".requirements/{name}.txt" for name in ("production", "cuda")]
    command = [UV, "pip", "sync", "--dry-run", "--require-hashes", *files]
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    assert done.returncode == 0 and "nvidia-cudnn-cu12" in done.stderr, done.stderr


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
    assert "--require-hashes" in text and "UV_COMPILE_BYTECODE=1" in text
    bases = re.findall(r"^FROM (\S+)", text, re.M)
    slim = "python:${PYTHON}-slim"
    assert bases == [slim, "python:${PYTHON}", "packages", slim]
    *_, image = text.split("\nFROM ")
    assert re.search(r"chmod 0775 /?", image) and "HOME=/tmp" in image and "WORKDIR /tmp" in image
    # The packages come before the project, and nothing large after it.
    changes = [line for line in image.splitlines() if re.match("COPY|RUN", line)]
    assert changes.index("COPY --from=packages /opt/fewshot /opt/fewshot") == 1
    assert changes[-1] == "COPY --from=project /project /opt/fewshot"


@pytest.fixture
def container(tmp_path):
    """Runs the image's entrypoint where the programs only say how they are called."""
    for name in ("fewshot", "fewshot-beam-worker", "python"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    def container(*words):
        script = DOCKERFILE.parent / "entrypoint.sh"
        done = subprocess.run([script, *words], env=environment, capture_output=True, text=True)
        return done.stdout.strip()

    return container


@pytest.mark.parametrize(
    "command, runs",
    [
        ("fewshot --help", "fewshot --help"),
        ("python -m pipeline.kubeflow_entrypoint --id=x", None),  # KFP's DockerRunner
        (
            "--id=1-1 --provision_endpoint=h:1",
            "fewshot-beam-worker --id=1-1 --provision_endpoint=h:1",
        ),
        ("--control_endpoint=h:1 --id=1", "fewshot-beam-worker --control_endpoint=h:1 --id=1"),
        ("--worker_pool --host=0.0.0.0", "fewshot-beam-worker --worker_pool --host=0.0.0.0"),
        ("--model_name=glyphs", "fewshot serve --model_name=glyphs"),
        (" ".join(COMPOSE["services"]["serving"]["command"]), "fewshot serve --model_config_file="),
    ],
)
def test_the_image_runs_steps_beam_workers_and_servers(container, command, runs):
    assert container(*command.split()).startswith(runs or command)


def test_what_the_entrypoint_runs_is_in_the_wheel():
    scripts = tomllib.loads(Path("pyproject.toml").read_text())["project"]["scripts"]
    for name in re.findall(r"exec (fewshot\S*)", (DOCKERFILE.parent / "entrypoint.sh").read_text()):
        module, _, function = scripts[name].partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_the_docker_context_is_what_the_wheel_needs():
    lines = Path("pipeline/docker/Dockerfile.dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    assert all(Path(path).exists() for path in kept)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.M)
    for path in " ".join(copied).split():
        assert path == "." or any(path.startswith(name) for name in kept), path


def locked(name: str) -> dict[str, str]:
    """Version of each package of a lock file on this Python; every one has a hash."""
    text = Path(f".requirements/{name}.txt").read_text()
    entries = re.findall(r"^([^\\\n]+?)((?: \\\n    --hash=\S+)+)$", text, re.M)
    requirements = [Requirement(line) for line, _ in entries]
    assert len(requirements) == len(re.findall(r"^\S+==", text, re.M))
    return {
        requirement.name: str(requirement.specifier).removeprefix("==")
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def test_production_has_the_versions_of_the_lock_and_no_tools():
    tools, production = locked("lock"), locked("production")
    assert set(tools) >= TOOLS and not set(production) & TOOLS
    assert not [name for name in production if name.startswith("types-")]
    assert production.items() <= tools.items()
    assert {"tensorflow", "tfx", "apache-beam", "kfp", "grpcio", "s3fs"} <= set(production)


def test_the_image_for_gpus_holds_cuda_s_libraries_beside_the_same_packages():
    cuda, production = locked("cuda"), locked("production")
    assert not set(cuda) & set(production)
    needed = [
        Requirement(text)
        for text in metadata.requires("tensorflow")
        if "and-cuda" in text and production["tensorflow"] == metadata.version("tensorflow")
    ]
    assert {requirement.name for requirement in needed} == set(cuda)
    assert all(requirement.specifier.contains(cuda[requirement.name]) for requirement in needed)


@pytest.mark.parametrize("path", sorted(Path(".requirements").glob("*.txt")), ids=lambda p: p.stem)
def test_no_lock_names_an_index(path):
    assert not re.search(r"://|--(extra-)?index-url|--find-links", path.read_text())
