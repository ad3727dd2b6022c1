"""The real pipeline, small, as a user runs it: `fewshot run` in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from components.episodes.dataset import read_split
from components.episodes.format import decode_episode
from components.episodes.record import read_record

pytestmark = pytest.mark.e2e

CONFIG = """
name: small
data: {source: glyphs, invert: true}
episodes: {ways: 3, shots: 1, queries: 3, counts: {train: 400, eval: 40, test: 600}}
learner: {name: maml, backbone: {filters: 16}}
training:
  steps: 100
  episodes_per_step: 8
  eval_every: 20
  eval_episodes: 40
  checkpoint_every: 10
  jit_compile: false
evaluation:
  {threshold: 0.4, must_beat_baselines: false, baseline_episodes: 100, curve_episodes: 20}
serving: {model_name: glyphs}
"""
STEPS = ("EpisodeGen", "Trainer", "FewShotEvaluator", "ServingValidator", "Pusher")


class Line:
    """One configuration and one output folder, run any number of times."""

    def __init__(self, folder: Path):
        self.output_dir = folder / "out"
        self._config = folder / "small.yaml"
        self._config.write_text(CONFIG)

    def start(self, *overrides: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "pipeline.cli", "run", "--config", str(self._config)]
        command += ["--output-dir", str(self.output_dir)]
        command += [word for override in overrides for word in ("--set", override)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def run(self, *overrides: str) -> tuple[int, str]:
        process = self.start(*overrides)
        _, told = process.communicate(timeout=600)
        return process.returncode, told

    def kill_when(self, seen: str) -> str:
        """Starts a run, kills it once the terminal shows `seen`; returns what it had told."""
        process = self.start()
        assert process.stderr is not None
        told = ""
        for line in process.stderr:
            told += line
            if seen in line:
                break
        else:
            raise AssertionError(f"the run ended before it told of {seen!r}")
        if seen.startswith("Trainer"):
            self._wait_for_checkpoint()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
        return told

    def _wait_for_checkpoint(self) -> None:
        deadline = time.monotonic() + 300
        while not list(self.output_dir.glob("checkpoints/*/checkpoint")):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    @property
    def summary(self) -> dict:
        return json.loads((self.output_dir / "summary.json").read_text())

    @property
    def versions(self) -> list[str]:
        return sorted(
            path.name for path in self.output_dir.glob("serving_model/glyphs/*") if path.is_dir()
        )

    @property
    def log(self) -> str:
        return (self.output_dir / "pipeline.log").read_text()


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Line:
    """Interrupted by SIGKILL in three steps, then run to its end."""
    line = Line(tmp_path_factory.mktemp("line"))
    for step in ("EpisodeGen ...", "Trainer ...", "FewShotEvaluator ..."):
        told = line.kill_when(step)
        assert line.versions == []
    # The run that was killed in the evaluation was the one after that killed in training.
    assert "goes on from step" in told
    status, told = line.run()
    assert status == 0, told
    return line


def test_a_killed_run_goes_on_and_ends_blessed(line):
    summary = line.summary
    assert summary["blessed"] and summary["infra_blessed"]
    assert line.versions == [Path(summary["pushed"]).name]
    assert summary["meta_train"]["steps"] == 100
    fitted = summary["meta_train"]["calibration"]["temperature"]
    assert summary["calibration"]["temperature"] == round(fitted, 6)


def test_summary_has_what_the_contract_names(line):
    summary = line.summary
    assert summary["learner"] == "maml" and summary["dataset"] == "glyphs"
    assert (summary["ways"], summary["shots"], summary["threshold"]) == (3, 1, 0.4)
    assert set(summary["test"]) == {"accuracy", "ci95", "episodes", "queries", "protocol"}
    assert summary["test"]["protocol"] == "inductive" and summary["test"]["episodes"] == 600
    assert summary["test"]["accuracy"] - summary["test"]["ci95"] >= 0.4
    assert "nearest_centroid" in summary["baselines"]
    # Its head starts from the support set: before the first step it is a classifier already.
    assert "no_adaptation" not in summary["baselines"]
    assert summary["config"]["training"]["augment"]["regroup"] is True
    assert set(STEPS) <= set(summary["seconds"])
    assert summary["versions"]["tfx"] == metadata.version("tfx")
    assert "<html" in (line.output_dir / "report.html").read_text()


def test_the_pushed_model_answers_each_query_alone_as_together(line):
    from serving.client import FewShotClient

    examples = next((line.output_dir / "tfx" / "EpisodeGen" / "examples").glob("*/episodes.json"))
    record = read_record(str(examples.parent))
    serialized = next(iter(read_split(str(examples.parent), "test").as_numpy_iterator()))
    episode = decode_episode(serialized, record.example_spec)
    support = {
        name: [x for x, y in zip(episode.support_x, episode.support_y) if y == label]
        for label, name in enumerate(episode.class_names)
    }
    with FewShotClient.connect(line.summary["pushed"]) as client:
        together = client.classify(support, episode.query_x).probabilities
        alone = [client.classify(support, [x]).probabilities[0] for x in episode.query_x]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_run_again_is_all_cached(line):
    versions, log_length = line.versions, len(line.log)
    status, told = line.run()
    assert status == 0, told
    assert line.versions == versions
    fresh = line.log[log_length:]
    assert "Training model." not in fresh and "meta-training" not in told
    assert all(line.summary["seconds"][step] < 5 for step in STEPS)


def test_a_model_below_the_threshold_is_not_pushed(line):
    versions, shipped, log_length = line.versions, line.summary, len(line.log)
    kinds = ("EpisodeGen/examples", "StatisticsGen/statistics", "EpisodeValidator/validation")

    def outputs() -> list[Path]:
        return sorted(p for kind in kinds for p in (line.output_dir / "tfx" / kind).iterdir())

    before = outputs()
    learner = "learner={name: protonet, backbone: {filters: 4}}"
    status, told = line.run("evaluation.threshold=0.999", learner, "training.steps=5")
    assert status == 3
    assert line.versions == versions
    summary = line.summary
    assert summary["pushed"] is None and not summary["blessed"] and summary["learner"] == "protonet"
    assert "below the threshold" in told
    assert "0.999" in (line.output_dir / "report.html").read_text()

    # What is shipped keeps its summary and report, and so does each run.
    assert summary["shipped"] == shipped["pushed"] and f"still served: {shipped['pushed']}" in told
    beside = json.loads(Path(f"{shipped['pushed']}.summary.json").read_text())
    assert beside["test"] == shipped["test"] and beside["learner"] == "maml"
    assert "0.999" not in Path(f"{shipped['pushed']}.report.html").read_text()
    histories = sorted(line.output_dir.glob("history/*/summary.json"))
    kept = [json.loads(path.read_text()) for path in histories]
    assert kept[-1] == summary and kept[0]["pushed"] == shipped["pushed"]
    assert all((path.parent / "report.html").exists() for path in histories)

    # Another learner has the episodes, their statistics and their checks from the first run.
    assert outputs() == before
    assert "Training model." in line.log[log_length:]
