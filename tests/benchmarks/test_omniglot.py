"""The papers' table: what it says is what was measured, and every entry can be run."""

import json

import pytest

from benchmarks.omniglot.entries import DATA, TABLE, judged_episodes
from benchmarks.omniglot.runs import finished_weights
from benchmarks.omniglot.table import markdown
from components.episode_gen.options import EpisodeGenConfig
from components.meta_trainer.options import (
    TrainingOptions,
    backbone_options,
    checked,
    learner_options,
)


@pytest.mark.parametrize("name", TABLE)
def test_every_entry_is_a_valid_configuration(name):
    entry = TABLE[name]
    learner_options(entry.learner)
    backbone_options(entry.learner, default="conv4")
    assert checked(TrainingOptions, entry.training, "training").max_seconds is None
    for section in (entry.episodes, *map(judged_episodes, entry.tests)):
        EpisodeGenConfig.from_json(json.dumps({"data": DATA, "episodes": section}))


@pytest.mark.parametrize("name", [name for name, entry in TABLE.items() if entry.starts_from])
def test_an_entry_starts_from_one_whose_weights_fit_and_that_is_done(name, tmp_path):
    entry = TABLE[name]
    assert TABLE[entry.starts_from].learner == entry.learner
    with pytest.raises(SystemExit, match=f"Train `{entry.starts_from}` to its end first"):
        finished_weights(entry.starts_from, tmp_path)


def test_a_row_holds_the_figures_of_its_entry():
    entry = {
        "title": "A learner",
        "protocol": "inductive",
        "tests": {"20w1s": {"accuracy": 0.91234, "ci95": 0.00456}},
        "steps": 10,
        "of_steps": 20,
        "seconds": 5400,
    }
    row = markdown({"entries": {"a": entry}}).splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["A learner", "inductive", "", "", "91.23 ± 0.46", "", "10 of 20", "1.5"]
