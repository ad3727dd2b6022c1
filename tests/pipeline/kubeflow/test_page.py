"""The objects of Kubernetes that the page has one create."""

import re
from pathlib import Path

import pytest
import yaml

from pipeline.kubeflow.options import KubeflowOptions
from tests.serving.deploy.openapi import faults

PAGE = Path("pipeline/kubeflow/README.md").read_text()
OBJECTS = [yaml.safe_load(text) for text in re.findall(r"<<'YAML'\n(.*?)\n +YAML", PAGE, re.S)]


@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda manifest: manifest["kind"])
def test_kubernetes_takes_the_object(manifest):
    assert faults(manifest, f"V1{manifest['kind']}") == []


def test_the_volume_is_the_one_that_the_steps_mount():
    claim, job = OBJECTS
    pod = job["spec"]["template"]["spec"]
    defaults = KubeflowOptions()
    assert claim["metadata"]["name"] == defaults.volume
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == defaults.volume
    (container,) = pod["containers"]
    assert container["volumeMounts"][0]["mountPath"] == defaults.shared_dir
    assert container["command"][-1] == defaults.shared_dir
