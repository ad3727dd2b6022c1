"""From a folder of pictures, or from tasks of regression, to a model: as a user goes."""

import json
import subprocess
import sys
import wave
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
    # Only decoding finds it, in EpisodeGen.
    refuse = ("--set", "data.unreadable=refuse", "--output-dir", "refused")
    refused = fewshot("run", "--config", "pictures.yaml", *refuse, folder=tmp_path)
    assert refused.returncode == 2
    assert "c/broken.jpg' cannot (it ends too early)" in refused.stderr.splitlines()[-1]
    learner = "learner={name: protonet, backbone: {name: resnet12, filters: 4}}"
    summary = run("pictures.yaml", learner, folder=tmp_path)
    assert "skipped c/broken.jpg" in summary["told"]
    assert summary["config"]["data"]["image_channels"] == 3
    assert summary["infra_blessed"] and 0 <= summary["test"]["accuracy"] <= 1


def test_a_table_of_texts_goes_through_the_whole_line(tmp_path):
    rows = [f"request {n} of kind {n % 12},kind {n % 12}" for n in range(48)]
    (tmp_path / "requests.csv").write_text("\n".join(["body,topic", *rows, ",kind 1", ""]))
    assert fewshot("init", "requests.csv", folder=tmp_path).returncode == 0
    summary = run("requests.yaml", folder=tmp_path)
    assert "skipped requests.csv:49: row 49 has no 'body'" in summary["told"]
    assert summary["infra_blessed"] and "nearest_centroid" in summary["baselines"]


def test_recordings_of_speakers_go_through_the_whole_line(tmp_path):
    for speaker in ("ann", "bob", "cy"):
        for word in range(3):
            (tmp_path / f"words/{speaker}/word_{word}").mkdir(parents=True)
            for number in range(3):
                path = tmp_path / f"words/{speaker}/word_{word}/{number}.wav"
                with wave.open(str(path), "wb") as file:
                    file.setparams((1, 2, 8_000, 0, "NONE", ""))
                    samples = np.sin((0.1 + 0.2 * word) * np.arange(800 + 100 * number))
                    file.writeframes((8_000 * samples).astype("<i2").tobytes())
    asked = fewshot("init", "words", folder=tmp_path)
    assert asked.returncode == 2 and "hold the same classes" in asked.stderr.splitlines()[-1]
    assert fewshot("init", "words", "--split-by", "group", folder=tmp_path).returncode == 0
    summary = run("words.yaml", "learner.backbone.filters=4", folder=tmp_path)
    assert summary["config"]["data"]["sample_rate"] == 8_000
    assert (
        summary["test_split"]["unseen"] == "groups" and "test split is one group" in summary["told"]
    )
    assert summary["infra_blessed"] and "nearest_centroid" in summary["baselines"]


@pytest.mark.parametrize("source", ["sinusoid", "styles"])
def test_regression_goes_through_the_whole_line(tmp_path, source):
    (tmp_path / "tasks.yaml").write_text(
        f"data: {{source: {source}, tasks: 20, examples_per_task: 8}}\n"
        "episodes: {ways: 1, shots: 3, queries: 4}\n"
        "learner: {name: maml, inner_learning_rate: 0.01}\n"
        "training: {episodes_per_step: 4}\n"
    )
    summary = run("tasks.yaml", folder=tmp_path)
    assert summary["infra_blessed"] and summary["test"]["mean_squared_error"] > 0
    assert "mean_target" in summary["baselines"]
    assert "mean squared error" in summary["told"]
