"""The wheel of this checkout, built once for the tests that install it."""

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
