"""The InferenceService against KServe's own types.

The SDK that carries them pins packages that the project cannot have, so the test fetches it alone,
without what it depends on, and loads the modules of its types only.
"""

import copy
import importlib
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
import yaml

from tests.serving.deploy.openapi import faults, kubernetes_type

KSERVE = yaml.safe_load(Path("serving/deploy/kserve.yaml").read_text())
SDK = "kserve==0.21.0"
UV = Path(".uv/bin/uv")


def module_name(kind: str) -> str:
    """`V1beta1ModelSpec` is in v1beta1_model_spec.py."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()


@pytest.fixture
def kserve_type(tmp_path, monkeypatch):
    """The class of a name, from the SDK or from the Kubernetes client."""
    if not UV.exists():
        pytest.skip("uv is not at .uv/bin/uv; `make setup` puts it there")
    command = [UV, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable]
    subprocess.run([*command, "--target", tmp_path, SDK], check=True)
    for name in ("kserve", "kserve.models"):  # whose own code imports what is not here
        package = types.ModuleType(name)
        package.__path__ = [str(tmp_path / name.replace(".", "/"))]
        monkeypatch.setitem(sys.modules, name, package)

    def lookup(kind: str):
        if not kind.startswith("V1beta1"):
            return kubernetes_type(kind)
        return getattr(importlib.import_module(f"kserve.models.{module_name(kind)}"), kind)

    return lookup


@pytest.mark.cluster
def test_the_inference_service_fits_kserves_types(kserve_type):
    assert faults(KSERVE, "V1beta1InferenceService", types=kserve_type) == []
    wrong = copy.deepcopy(KSERVE)
    wrong["spec"]["predictor"]["model"]["storageURI"] = "pvc://x"
    (fault,) = faults(wrong, "V1beta1InferenceService", types=kserve_type)
    assert fault == ".spec.predictor.model.storageURI is no field of V1beta1ModelSpec"
