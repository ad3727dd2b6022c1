"""A push notes what it pushed, on a disk and in object storage; no blessing, no note."""

import json

import pytest
from tfx.types import standard_artifacts

from components.version_pusher.executor import VersionPusher
from serving.model_versions.pointer import last_pushed, local_model


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
