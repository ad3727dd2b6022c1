"""A push notes what it pushed, on a disk and in object storage; no blessing, no note."""

import json
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.version_pusher.executor import VersionPusher
from serving.model_versions.pointer import last_pushed, local_model, write_pointer


@pytest.fixture
def push(tmp_path):
    (tmp_path / "model/Format-Serving").mkdir(parents=True)
    (tmp_path / "model/Format-Serving/saved_model.pb").write_bytes(b"graph")

    def do(base: str, *, blessed: bool = True):
        model, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
        model.uri = str(tmp_path / "model")
        blessing.set_int_custom_property("blessed", int(blessed))
        pushed = standard_artifacts.PushedModel()
        pushed.uri = str(tmp_path / "pushed")
        VersionPusher().Do(
            {"model": [model], "model_blessing": [blessing]},
            {"pushed_model": [pushed]},
            {
                "push_destination": json.dumps({"filesystem": {"base_directory": base}}),
                "custom_config": json.dumps({"baseline_pointer": f"{base}/blessed.json"}),
            },
        )
        return pushed

    return do


def test_the_pointer_names_the_last_push(push, tmp_path):
    base = str(tmp_path / "serving")
    assert last_pushed(f"{base}/blessed.json") is None
    first = push(base).get_string_custom_property("pushed_destination")
    assert last_pushed(f"{base}/blessed.json") == first
    second = push(base).get_string_custom_property("pushed_destination")
    assert last_pushed(f"{base}/blessed.json") == second != first
    assert local_model(second) == second


def test_the_best_of_a_task_stays_the_one_to_compare_with(tmp_path):
    pointer, models = str(tmp_path / "blessed.json"), [str(tmp_path / name) for name in "abcd"]
    for model in models:
        Path(model).mkdir()
    write_pointer(pointer, models[0], score=0.9, task="letters")
    write_pointer(pointer, models[1], score=0.89, task="letters")
    assert last_pushed(pointer) == models[0]
    write_pointer(pointer, models[2], score=0.5, task="digits")
    assert last_pushed(pointer) == models[2]
    Path(models[2]).rmdir()
    write_pointer(pointer, models[3], score=0.4, task="digits")
    assert last_pushed(pointer) == models[3]


def test_what_is_not_blessed_moves_no_pointer(push, tmp_path):
    base = str(tmp_path / "serving")
    first = push(base).get_string_custom_property("pushed_destination")
    assert push(base, blessed=False).get_int_custom_property("pushed") == 0
    assert last_pushed(f"{base}/blessed.json") == first


def test_a_push_to_object_storage(push, tmp_path):
    pushed = push("memory://pushed/m")
    destination = pushed.get_string_custom_property("pushed_destination")
    assert destination.startswith("memory://pushed/m/")
    assert pushed.get_string_custom_property("pushed_version") == destination.rpartition("/")[2]
    assert last_pushed("memory://pushed/m/blessed.json") == destination
    with open(f"{local_model(destination)}/saved_model.pb", "rb") as file:
        assert file.read() == b"graph"


def test_no_pointer_is_no_baseline():
    assert last_pushed("") is None
