"""`fewshot init --try` writes the learner that is best on meta-validation."""

import logging

import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from components.episodes.record import EpisodeSetRecord
from components.modalities.base import ExampleSpec
from pipeline import init_try
from pipeline.cli import main
from pipeline.compare import comparison, trial
from pipeline.compare.trial import Result, Trial

VALIDATION = {"r2d2": 0.8, "protonet": 0.9, "maml": 0.7}
SPEC = ExampleSpec("image", "uint8", (28, 28, 3))
RECORD = EpisodeSetRecord(2, SPEC, 2, 1, 2, {}, 0, {}, {}, {})


def fake_trial(planned: Trial) -> Result:
    logging.getLogger("absl").warning("a notice of TensorFlow")
    return Result(
        learner=planned.name,
        metric="accuracy",
        higher_is_better=True,
        scores=[0.5],
        adapt_milliseconds=1.0,
        megabytes=1.0,
        steps=int(planned.training["max_seconds"]),
        total_steps=100,
        seconds=1.0,
        episodes_per_second=1.0,
        serves={},
        history=[{"eval_score": VALIDATION[planned.name]}, {"eval_score": 0.5}],
    )


def pictures(folder) -> None:
    for number in range(8):
        (folder / f"pictures/class_{number}").mkdir(parents=True)
        for copy in range(3):
            Image.new("RGB", (28, 28), (30 * number, 80 * copy, 200)).save(
                folder / f"pictures/class_{number}/{copy}.png"
            )


@pytest.mark.parametrize(("of_script", "side"), [(0.85, "ahead of"), (0.95, "not ahead of")])
def test_it_writes_the_best_on_meta_validation(tmp_path, monkeypatch, of_script, side):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "make_episodes", lambda config, uri: RECORD)
    monkeypatch.setattr(trial, "run_trial", fake_trial)
    monkeypatch.setattr(init_try, "best_script", lambda *_: ("a script", of_script))
    pictures(tmp_path)
    asked = CliRunner().invoke(main, ["init", "pictures", "--try", "--budget-minutes", "3"])
    assert asked.exit_code == 0, asked.output
    assert "protonet: meta-validation 0.9000 (60 steps" in asked.output
    assert f", {side} the best plain script, a script: {of_script:.4f}" in asked.output
    assert "notice" not in asked.output
    assert "a notice of TensorFlow" in (tmp_path / "runs/try-pictures/try.log").read_text()
    assert yaml.safe_load((tmp_path / "pictures.yaml").read_text())["learner"]["name"] == "protonet"


def test_a_learner_of_ones_own_choice_is_not_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path)
    asked = CliRunner().invoke(main, ["init", "pictures", "--try", "--learner", "anil"])
    assert asked.exit_code == 2 and "leave `--learner` out" in asked.output
