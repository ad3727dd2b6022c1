"""What is asked of each learner, and which results are taken again."""

import json

import pytest

from components.episodes.record import EpisodeSetRecord
from components.modalities.base import ExampleSpec
from pipeline.compare.trial import (
    RESULT_FILE,
    fingerprint,
    plan_trial,
    read_result,
)
from pipeline.config import build_config

RECORD = EpisodeSetRecord(
    1, ExampleSpec("image", "uint8", (8, 8, 1)), 3, 1, 2, {}, 0, {}, {}, {"data": {}}
)


def config(**learner):
    return build_config({"name": "small", "learner": learner})


@pytest.fixture
def trial(tmp_path):
    def make(name: str = "maml", *, record=RECORD, seconds=None, **learner):
        return plan_trial(
            name,
            config(name=name, **learner),
            record,
            uri="anywhere",
            folder=tmp_path,
            seconds=seconds,
        )

    return make


def test_each_has_the_same_training_and_time(trial):
    one, two = trial("maml", seconds=60.0), trial("anil", seconds=60.0)
    assert one.training == two.training and one.training["max_seconds"] == 60.0
    assert one.folder != two.folder


def keep(trial, result) -> None:
    trial.folder.mkdir(parents=True, exist_ok=True)
    kept = {"trial": fingerprint(trial), "result": result._asdict()}
    (trial.folder / RESULT_FILE).write_text(json.dumps(kept))


def test_a_read_result_trial_is_taken_again(trial, result):
    assert read_result(trial()) is None
    keep(trial(), result("maml", [0.5, 0.25]))
    assert read_result(trial()) == result("maml", [0.5, 0.25])


@pytest.mark.parametrize("change", [{"seconds": 5.0}, {"inner_steps": 3}])
def test_a_trial_of_another_configuration_is_not(trial, result, change):
    keep(trial(), result("maml", [0.5, 0.25]))
    assert read_result(trial(**change)) is None


def test_a_trial_on_other_episodes_is_not(trial, result):
    keep(trial(), result("maml", [0.5, 0.25]))
    other = EpisodeSetRecord.from_json(RECORD.to_json() | {"seed": 1})
    assert read_result(trial(record=other)) is None


def test_a_result_cut_short_is_not(trial, result):
    keep(trial(), result("maml", [0.5, 0.25]))
    path = trial().folder / RESULT_FILE
    path.write_text(path.read_text()[:40])
    assert read_result(trial()) is None
