"""`fewshot serve` in the image under the shipped manifests, with the model that was pushed.

The manifests are as they are, but for the image. Their ports, 8500 and 8501, must be free.
"""

import os
import re
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import yaml

from serving.client import FewShotClient
from tests.pipeline.docker.conftest import done

pytestmark = pytest.mark.cluster
CLASSES = {str(label): [np.full([28, 28, 1], 50 * label, np.uint8)] for label in range(5)}
STATUS = "http://localhost:8501/v1/models/glyphs"  # the path of the manifests' probes


@pytest.fixture(scope="module")
def models(pipeline_root):
    """The folder of the models that the pipeline in containers has pushed."""
    return pipeline_root / "shared/serving_model"


def wait_until_available() -> None:
    """Returns when the model's state is AVAILABLE; fails after two minutes."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(STATUS, timeout=5) as reply:
                if '"AVAILABLE"' in reply.read().decode():
                    return
        except OSError:
            pass
        time.sleep(1)
    pytest.fail("the server does not answer")


def check_answers() -> None:
    """Fails unless the server answers a query over gRPC and over REST."""
    for target in ("localhost:8500", "http://localhost:8501"):
        answer = FewShotClient.connect(target, "glyphs").classify(CLASSES, CLASSES["3"])
        assert np.shape(answer.probabilities) == (1, 5)
        np.testing.assert_allclose(np.sum(answer.probabilities), 1, rtol=1e-5)


def check_ends(podman, name: str, seconds: int) -> None:
    """Fails unless SIGTERM ends a container in time and with status 0."""
    podman("stop", f"--time={seconds}", name)  # SIGKILL after that, whose status is 137
    assert podman("inspect", "--format={{.State.ExitCode}}", name).strip() == "0"


def test_kubernetes_yaml_serves_the_pushed_model(podman, image, models, tmp_path):
    text = Path("serving/deploy/kubernetes.yaml").read_text()
    text = re.sub(r"image: tensorflow/serving\S*", f"image: {image}", text)
    # podman gives each pod the machine's own ports.
    text = text.replace("replicas: 2", "replicas: 1")
    manifest = tmp_path / "kubernetes.yaml"
    manifest.write_text(text)
    podman("volume", "create", "fewshot-models")
    place = podman("volume", "inspect", "--format={{.Mountpoint}}", "fewshot-models").strip()
    try:
        done("cp", "-a", f"{models}/.", place)
        podman("play", "kube", manifest)
        wait_until_available()
        check_answers()
        (name,) = re.findall(r"fewshot-serving\S+-serving", podman("ps", "--format={{.Names}}"))
        assert podman("exec", name, "id", "-u").strip() == "1000"
        check_ends(podman, name, seconds=45)  # terminationGracePeriodSeconds
    finally:
        podman("play", "kube", "--down", manifest)
        podman("volume", "rm", "--force", "fewshot-models", "fewshot-serving")


def test_compose_yaml_serves_the_pushed_model(podman, clients, image, models, tmp_path):
    (tmp_path / "image.yaml").write_text(
        yaml.safe_dump({"services": {"serving": {"image": image}}})
    )
    files = ("--file", "serving/deploy/compose.yaml", "--file", tmp_path / "image.yaml")
    command = (sys.executable, "-m", "podman_compose", "--podman-args=--runtime=runc", *files)
    environment = os.environ | {"PYTHONPATH": str(clients), "MODELS": str(models)}
    try:
        done(*command, "up", "--detach", env=environment)
        wait_until_available()
        check_answers()
        (name,) = re.findall(r"fewshot-serving\S+", podman("ps", "--format={{.Names}}"))
        podman("healthcheck", "run", name)  # that of the file
        check_ends(podman, name, seconds=35)  # stop_grace_period
    finally:
        done(*command, "down", env=environment)
