"""The stand-in for natural images has the protocol's split, and the configuration takes it."""

import pytest

from benchmarks.natural_images import __main__ as natural_images
from benchmarks.natural_images.networks import CONFIGURATION, NETWORKS
from benchmarks.natural_images.table import table
from components.episode_gen.check import check_data
from pipeline.config import load_config


def test_the_configuration_takes_the_stand_in_in_the_protocols_split(tmp_path, monkeypatch):
    monkeypatch.setattr(natural_images, "EXAMPLES", 2)
    path = natural_images.write_stand_in(tmp_path)
    changes = [f"data.path={path}", "episodes.queries=1"]
    config = load_config(CONFIGURATION, changes)
    data = check_data(config.data, config.episodes)
    assert {split: len(names) for split, names in data.splits.items()} == {
        "train": 64,
        "eval": 16,
        "test": 20,
    }
    assert data.spec.shape == (84, 84, 3)
    assert natural_images.write_stand_in(tmp_path) == path  # it is written once


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_is_a_change_of_the_configuration(name):
    backbone = load_config(CONFIGURATION, NETWORKS[name]).learner["backbone"]
    assert str(backbone["filters"]) in name
    assert (backbone["name"] == "resnet12") == ("ResNet" in name)


@pytest.mark.parametrize(("pushed", "words"), [(True, "was pushed"), (False, "was not blessed")])
def test_the_table_says_whether_the_model_was_pushed(pushed, words):
    run = {
        "accuracy": [0.7, 0.01],
        "best_baseline": "edges_logistic",
        "baseline_accuracy": 0.43,
        "pushed": pushed,
        "meta_steps": 100,
        "seconds_of_steps": {"Trainer": 90},
        "seconds": 200,
        "peak_mb": 2048,
    }
    cost = {"tasks": 4, "first_step_seconds": 20.0, "step_seconds": 2.0, "peak_mb": 1024}
    shown = table({"run": run, "conv4-64": cost})
    assert words in shown and "edges logistic, 0.430" in shown and "2.0 GB" in shown
    assert "| conv4-64 | 20 s | 2.00 s | 2.00 | 1.0 GB | 33 h |" in shown
