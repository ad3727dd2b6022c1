"""`fewshot init --try` writes the learner that is best on meta-validation."""

import yaml
from click.testing import CliRunner
from PIL import Image

from pipeline.cli import main
from pipeline.compare import comparison
from pipeline.compare.trial import Result

VALIDATION = {"maml": 0.7, "protonet": 0.9}
TEST = {"maml": 0.8, "protonet": 0.6}


def fake_trials(tried, folder, seconds, console) -> list[Result]:
    """Results whose order on the test episodes is the opposite of that on meta-validation."""
    fake_trials.seconds = seconds
    return [
        Result(
            learner=name,
            metric="accuracy",
            higher_is_better=True,
            scores=[TEST[name], TEST[name]],
            adapt_milliseconds=1.0,
            megabytes=1.0,
            steps=100,
            total_steps=100,
            seconds=1.0,
            episodes_per_second=1.0,
            serves={},
            history=[{"eval_score": VALIDATION[name]}, {"eval_score": 0.5}],
        )
        for name in tried
    ]


def pictures(folder) -> None:
    for number in range(8):
        (folder / f"pictures/class_{number}").mkdir(parents=True)
        for copy in range(3):
            Image.new("RGB", (28, 28), (30 * number, 80 * copy, 200)).save(
                folder / f"pictures/class_{number}/{copy}.png"
            )


def test_it_writes_the_best_on_meta_validation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "run_trials", fake_trials)
    pictures(tmp_path)
    asked = CliRunner().invoke(main, ["init", "pictures", "--try", "--budget-minutes", "3"])
    assert asked.exit_code == 0, asked.output
    assert fake_trials.seconds == 90.0
    assert yaml.safe_load((tmp_path / "pictures.yaml").read_text())["learner"]["name"] == "protonet"


def test_a_learner_of_ones_own_choice_is_not_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path)
    asked = CliRunner().invoke(main, ["init", "pictures", "--try", "--learner", "anil"])
    assert asked.exit_code == 2 and "leave `--learner` out" in asked.output
