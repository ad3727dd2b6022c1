"""The folder of a run, around the golden model."""

import json
import shutil
from pathlib import Path

import pytest

GOLDENS = Path(__file__).parents[2] / "goldens"
VERSION = "serving_model/golden/7"


@pytest.fixture
def run_folder(tmp_path) -> Path:
    """As a run leaves it, without its pipeline's own files."""
    folder = tmp_path / "out"
    shutil.unpack_archive(GOLDENS / "model.tar.xz", folder / VERSION)
    config = json.loads((GOLDENS / "episodes" / "episodes.json").read_text())["config"]
    summary = {"config": config | {"serving": {"model_name": "golden"}}}
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder
