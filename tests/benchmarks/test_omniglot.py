"""The papers' table: it says what was measured, and every entry can be run."""

import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.omniglot import runs
from benchmarks.omniglot.__main__ import configuration
from benchmarks.omniglot.entries import TABLE
from benchmarks.omniglot.entry import DATA, Entry, Test, evaluation_episodes
from benchmarks.omniglot.errors import GAP, picture
from benchmarks.omniglot.runs import checkpoint_dir, finished
from benchmarks.omniglot.table import table
from benchmarks.reporting import RECORDED, read_result
from components.episode_gen.options import EpisodeGenConfig
from components.episodes.types import Episodes
from components.meta_trainer.options import (
    TrainingOptions,
    backbone_options,
    learner_options,
)
from components.options import build_options


@pytest.mark.parametrize("name", TABLE)
def test_every_entry_is_a_valid_configuration(name):
    entry = TABLE[name]
    learner_options(entry.learner)
    backbone_options(entry.learner, default="conv4")
    assert build_options(TrainingOptions, entry.training, "training").max_seconds is None
    for section in (entry.episodes, *map(evaluation_episodes, entry.tests)):
        EpisodeGenConfig.from_json(json.dumps({"data": DATA, "episodes": section}))


@pytest.mark.parametrize("name", [name for name, entry in TABLE.items() if entry.starts_from])
def test_an_entry_starts_from_one_whose_weights_fit_and_that_is_done(name, tmp_path):
    entry = TABLE[name]
    assert TABLE[entry.starts_from].learner["backbone"] == entry.learner["backbone"]
    with pytest.raises(SystemExit, match=f"Train `{entry.starts_from}` to its end first"):
        finished(entry.starts_from, tmp_path)


def test_training_starts_from_the_other_entrys_weights(tmp_path, monkeypatch):
    """With a rate too small to move anything, what comes out is what went in."""

    def entry(starts_from: str | None, **training) -> Entry:
        return Entry(
            title="",
            train=(3, 1, 1, 8),
            learner={"name": "protonet", "backbone": {"name": "conv4", "filters": 4, "blocks": 2}},
            training={"steps": 1, "episodes_per_step": 2, "eval_episodes": 4} | training,
            tests=(Test(3, 1, queries=1),),
            starts_from=starts_from,
        )

    table = {"first": entry(None), "second": entry("first", meta_learning_rate=1e-12, seed=7)}
    monkeypatch.setattr(runs, "TABLE", table)
    monkeypatch.setattr(runs, "DATA", {"source": "glyphs", "invert": True})
    runs.train("first", table["first"], tmp_path, seconds=1e9)
    before = finished("first", tmp_path).outcome.weights
    after = runs.train("second", table["second"], tmp_path, seconds=1e9).outcome.weights
    tf.nest.assert_same_structure(before, after)
    for weight, same in zip(tf.nest.flatten(before), tf.nest.flatten(after)):
        np.testing.assert_allclose(weight, same, atol=1e-9)


def test_checkpoints_of_what_an_entry_starts_from_are_part_of_its_own(tmp_path, monkeypatch):
    name, entry = next((n, e) for n, e in TABLE.items() if e.starts_from)
    before = checkpoint_dir(name, entry, tmp_path)
    first = TABLE[entry.starts_from]
    other = first._replace(training=first.training | {"seed": 1})
    monkeypatch.setitem(runs.TABLE, entry.starts_from, other)
    assert checkpoint_dir(name, entry, tmp_path) != before


def result(accuracy: float, commit: str = "abc1234") -> dict:
    return {
        "title": "A learner",
        "protocol": "inductive",
        "tests": {"20w1s": {"accuracy": accuracy, "ci95": 0.00456}},
        "steps": 10,
        "of_steps": 20,
        "seconds": 5400,
        "commit": commit,
    }


def last_row(results: dict) -> list[str]:
    row = table({"entries": results}).splitlines()[-1]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_row_holds_the_figures_of_its_entry():
    assert last_row({"a": result(0.91234)}) == [
        "A learner",
        "inductive",
        "",
        "",
        "91.23 ± 0.46",
        "",
        "10 of 20",
        "1.5",
        "abc1234",
    ]


def test_seeds_of_one_learner_have_one_row_of_their_mean_and_deviation():
    seeds = {"a": result(0.90), "b": result(0.92, commit="def5678"), "c": result(0.94)}
    title, _, _, _, spread, _, _, hours, commits = last_row(seeds)
    assert title.startswith("… 3 seeds")
    assert (spread, hours, commits) == ("92.00, 2.00", "4.5", "abc1234, def5678")


def test_a_shared_error_stands_beside_its_class_and_the_predicted_one():
    labels, predictions = np.array([[1]]), np.array([[0]])
    support_x = np.zeros((1, 2, 4, 4, 1), np.uint8)
    support_x[0, 1] = 1
    query_x = np.full((1, 1, 4, 4, 1), 9, np.uint8)
    images = Episodes(support_x, np.array([[0, 1]]), query_x, labels)
    shown = picture(labels, predictions, labels != predictions, images)
    assert shown.shape == (2 * 4, 2 * (4 + GAP + 4 + GAP + 4))
    query, own, predicted = (shown[0, 2 * at] for at in (0, 4 + GAP, 8 + 2 * GAP))
    assert (query, own, predicted) == (9, 1, 0)


RESULTS = read_result("omniglot", RECORDED)["entries"]


@pytest.mark.parametrize("name", RESULTS)
def test_the_committed_results_are_of_the_configuration_that_is_run(name):
    entry = RESULTS[name]
    assert entry["title"] == TABLE[name].title
    assert entry["configuration"] == configuration(TABLE[name])
