"""`fewshot compare` from the command line: mistakes, and a small comparison, killed once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli import main

CONFIG = """
name: small
data: {source: glyphs, invert: true}
episodes: {ways: 3, shots: 1, queries: 3, counts: {train: 200, eval: 20, test: 60}}
learner: {name: maml, backbone: {filters: 8, blocks: 2}}
training:
  steps: 80
  episodes_per_step: 8
  eval_every: 40
  eval_episodes: 20
  checkpoint_every: 5
  jit_compile: false
evaluation: {episodes: 60}
"""


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--learners", "maml,mamml"], "`--learners` must be of anil, "),
        ([], "`--learners` must be two or more"),
        (["--learners", "maml"], "`--learners` must be two or more"),
        (["--learners", "maml,maml"], "`--learners` must be different"),
        (["--grid", "learner.inner_steps=3"], "give a key two or more values"),
        (["--grid", "learner.inner_step=1,2"], "did you mean `inner_steps`?"),
        (["--grid", "lerner.x=1,2"], "did you mean `learner`?"),
        (["--grid", "learner.inner_steps"], "`--grid` must be section.key=value,value"),
        (["--grid", "episodes.ways=3,4"], "keys of learner and training alone"),
        (["--learners", "maml,anil", "--budget-minutes", "0"], "`--budget-minutes` must be above"),
        (["--learners", "maml,anil", "--budget-minutes", "nan"], "`--budget-minutes` must be"),
        (["--learners", "maml,anil", "--set", "learner.inner=1"], "`learner.inner` is not an"),
        (["--learners", "anil,protonet", "--set", "learner.backbone.x=1"], "`learner.backbone.x`"),
    ],
)
def test_a_mistake_is_one_sentence(config, tmp_path, arguments, told):
    arguments = ["compare", "--config", str(config), "--output-dir", str(tmp_path), *arguments]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert told in result.output and result.output.count("\n") == 1


def start(config: Path, folder: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "pipeline.cli", "compare", "--config", str(config)]
    return subprocess.Popen(
        [*command, "--output-dir", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.e2e
def test_a_killed_comparison_goes_on_to_its_report(config, tmp_path):
    folder = tmp_path / "out"
    process = start(config, folder, "--learners", "protonet,anil")
    # Killed once the second learner has left a checkpoint: its files, and then the list of them.
    while not list(folder.glob("anil/checkpoints/*/checkpoint")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    first = json.loads((folder / "protonet/result.json").read_text())
    assert not (folder / "compare.html").exists()

    process = start(config, folder, "--learners", "protonet,anil")
    printed, progress = process.communicate(timeout=300)
    assert process.returncode == 0, progress
    assert "done before: 80 steps" in progress and "goes on from step" in progress
    assert json.loads((folder / "protonet/result.json").read_text()) == first
    assert "is best: accuracy" in printed and "compare.html" in printed
    record = json.loads((folder / "compare.json").read_text())
    assert {one["learner"] for one in record["learners"]} == {"protonet", "anil"}
    assert all(one["steps"] == 80 and len(one["scores"]) == 60 for one in record["learners"])
    assert (folder / "compare.html").exists()


@pytest.mark.e2e
def test_a_learner_that_does_not_fit_the_episodes_is_told_before_any_trains(config, tmp_path):
    config.write_text(
        "name: waves\ndata: {source: sinusoid, split_counts: [20, 10, 10], tasks: 40}\n"
        "episodes: {ways: 1, shots: 5, queries: 5, "
        "counts: {train: 20, eval: 10, test: 10}}\n"
        "training: {eval_episodes: 10}\nevaluation: {episodes: 10}\n"
    )
    process = start(config, tmp_path / "out", "--learners", "maml,protonet")
    _, told = process.communicate(timeout=300)
    assert process.returncode == 2 and "float targets" in told
    assert not (tmp_path / "out/maml").exists()
