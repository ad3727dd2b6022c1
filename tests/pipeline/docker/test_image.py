"""The image as the Dockerfile builds it: what is in it, and what a change of the code ships."""

import ast
import json
import shutil
from pathlib import Path

import pytest

from tests.pipeline.docker.conftest import STRANGER
from tests.pipeline.kubeflow.test_wheel import TOOLS as DEVELOPMENT

pytestmark = pytest.mark.cluster
CHANGED = "localhost/fewshot:changed"


def test_the_image_tests_itself_as_any_user_on_a_read_only_root(podman, image):
    command = ("python", "-m", "pipeline.kubeflow_entrypoint", "--self_test")
    said = podman("run", "--rm", *STRANGER, image, *command)
    assert "executors import" in said and "one step ran" in said


def test_the_image_has_no_tools_of_development_and_says_what_it_is(podman, image):
    listed = "from importlib.metadata import distributions as d; print({i.name for i in d()})"
    names = ast.literal_eval(podman("run", "--rm", *STRANGER, image, "python", "-c", listed))
    assert {"fewshot-pipeline", "tfx", "tensorflow"} <= names and not DEVELOPMENT & names
    (inspected,) = json.loads(podman("image", "inspect", image))
    assert inspected["User"] == "10001"
    assert inspected["Labels"]["org.opencontainers.image.title"] == "fewshot-pipeline"


def layers(podman, image: str) -> dict[str, int]:
    """Size in bytes of each layer of an image, by its digest."""
    digests = podman("image", "inspect", "--format={{json .RootFS.Layers}}", image)
    history = json.loads(podman("history", "--format=json", "--human=false", image))
    sizes = [entry["size"] for entry in reversed(history) if entry["size"]]
    assert len(sizes) == len(json.loads(digests)), history
    return dict(zip(json.loads(digests), sizes))


def test_a_change_of_the_code_ships_less_than_10_megabytes(podman, build, image, tmp_path):
    for line in Path("pipeline/docker/Dockerfile.dockerignore").read_text().splitlines():
        if line.startswith("!"):
            into = tmp_path / line[1:]
            into.parent.mkdir(exist_ok=True)
            copy = shutil.copytree if Path(line[1:]).is_dir() else shutil.copy
            copy(line[1:], into)
    with open(tmp_path / "pipeline/cli.py", "a") as file:
        file.write("CHANGED = True\n")
    build(CHANGED, tmp_path)
    try:
        say = ("python", "-c", "import pipeline.cli as c; print(c.CHANGED)")
        assert podman("run", "--rm", CHANGED, *say).strip() == "True"
        before, after = layers(podman, image), layers(podman, CHANGED)
        (shipped,) = [size for digest, size in after.items() if digest not in before]
        assert 0 < shipped < 10e6
    finally:
        podman("rmi", "--force", CHANGED)
