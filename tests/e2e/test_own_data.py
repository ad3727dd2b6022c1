"""From a folder of pictures, or from tasks of regression, to a model: as a user goes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.e2e

SMALL = ("episodes.counts={train: 40, eval: 8, test: 20}", "training.steps=6")
SMALL += ("training.eval_episodes=8", "training.eval_every=3", "training.jit_compile=false")
SMALL += ("evaluation={episodes: 20, curve_episodes: 4}",)  # no threshold: judged, not pushed


def fewshot(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pipeline.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)


def run(config: str, *overrides: str, folder: Path) -> dict:
    sets = [word for override in (*SMALL, *overrides) for word in ("--set", override)]
    done = fewshot("run", "--config", config, "--output-dir", "out", *sets, folder=folder)
    assert done.returncode == 3, done.stderr
    assert (folder / "out" / "report.html").exists()
    return json.loads((folder / "out" / "summary.json").read_text()) | {"told": done.stderr}


def test_a_folder_of_colour_pictures_goes_through_resnet12(tmp_path):
    for name in "abcdefg":
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(4):
            rng = np.random.default_rng([ord(name), number])
            pixels = rng.integers(0, 256, (20 + number, 30, 3), np.uint8)
            suffix = ("png", "jpg", "bmp", "gif")[number]
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.{suffix}")
    (tmp_path / "pictures" / "c" / "broken.jpg").write_bytes(b"\xff\xd8\xff and no more")
    assert fewshot("init", "pictures", folder=tmp_path).returncode == 0
    learner = "learner={name: protonet, backbone: {name: resnet12, filters: 4}}"
    summary = run("pictures.yaml", learner, folder=tmp_path)
    assert "skipped c/broken.jpg" in summary["told"]
    assert summary["config"]["data"]["image_channels"] == 3
    assert summary["infra_blessed"] and 0 <= summary["test"]["accuracy"] <= 1


@pytest.mark.parametrize("source", ["sinusoid", "styles"])
def test_regression_goes_through_the_whole_line(tmp_path, source):
    (tmp_path / "tasks.yaml").write_text(
        f"data: {{source: {source}, tasks: 20, examples_per_task: 8}}\n"
        "episodes: {ways: 1, shots: 3, queries: 4}\n"
        "learner: {name: maml, inner_rate: 0.01}\n"
        "training: {episodes_per_step: 4}\n"
    )
    summary = run("tasks.yaml", folder=tmp_path)
    assert summary["infra_blessed"] and summary["test"]["mean_squared_error"] > 0
    assert "mean_target" in summary["baselines"]
    assert "mean squared error" in summary["told"]
