"""A run that has pushed the golden model, with the summary beside the version's folder."""

import json
import shutil
from pathlib import Path

import pytest

GOLDENS = Path(__file__).parents[2] / "goldens"
BASE = "serving_model/golden"


@pytest.fixture(scope="session")
def pushed_run(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("run")
    shutil.unpack_archive(GOLDENS / "model.tar.xz", run / BASE / "7")
    (run / BASE / "7.summary.json").write_text(json.dumps(SUMMARY | {"pushed": "/home/me/7"}))
    return run


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FEWSHOT_CACHE_DIR", str(tmp_path / "cache"))


SUMMARY = {
    "config": {
        "data": {"source": "glyphs", "data_dir": "/home/me/data", "path": None},
        "training": {"start_from": "/home/me/models/before"},
    },
    "learner": "protonet",
    "dataset": "glyphs",
    "ways": 5,
    "shots": 1,
    "test": {"accuracy": 0.91, "ci95": 0.004, "episodes": 600, "protocol": "inductive"},
    "test_intervals": {"ci95_by_class": 0.006},
    "baselines": {"pixels": 0.5},
    "baseline_differences": {
        "pixels": {"words": "nearest centroid of pixels", "ahead": True},
        "no_adaptation": {"words": "itself", "difference": -0.01, "ci95": 0.02, "ahead": False},
    },
    "cautions": ["drawn by a program"],
    "meta_train": {"steps": 40},
    "blessed": True,
    "shipped": "/home/me/7",
    "seconds": {"Trainer": 1.0},
    "commit": "abc",
    "versions": {"tensorflow": "2.16.2"},
}
