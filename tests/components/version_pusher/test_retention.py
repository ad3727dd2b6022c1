"""Old versions go after a push, but never the one that a server would serve."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.version_pusher.executor import VersionPusher
from serving.model_versions.folders import list_versions
from serving.saved_model.warmup import WarmupRequest, write_warmup


class Double(tf.Module):
    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def __call__(self, x):
        return {"y": self.factor * x}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "Format-Serving"
    module = Double()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.__call__})
    return folder


def push(exported, base, *, keep: int) -> int:
    """Pushes with TFX's own inputs; returns the version."""
    model, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
    model.uri = str(exported.parent)
    blessing.set_int_custom_property("blessed", 1)
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(base.parent / "pushed")
    VersionPusher().Do(
        {"model": [model], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        {
            "push_destination": json.dumps({"filesystem": {"base_directory": str(base)}}),
            "custom_config": json.dumps({"keep_versions": keep}),
        },
    )
    return int(pushed.get_string_custom_property("pushed_version"))


def test_the_newest_stay(exported, tmp_path):
    base = tmp_path / "models"
    versions = [push(exported, base, keep=2) for _ in range(3)]
    assert list(list_versions(base)) == versions[1:]


def test_a_new_version_that_does_not_load_costs_no_older_one(exported, tmp_path):
    base = tmp_path / "models"
    good = push(exported, base, keep=1)
    # Its one warm-up request fails, so that no server makes it available.
    broken = tmp_path / "broken" / "Format-Serving"
    shutil.copytree(exported, broken)
    write_warmup(broken, "m", [WarmupRequest("serving_default", {"x": np.zeros([1], np.int32)})])
    bad = push(broken, base, keep=1)
    assert list(list_versions(base)) == [good, bad]
    mended = push(exported, base, keep=1)
    assert list(list_versions(base)) == [mended]
