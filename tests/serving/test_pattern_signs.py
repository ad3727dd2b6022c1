"""A model loads from a folder whose path has signs of patterns."""

import shutil

import numpy as np

from serving.client import FewShotClient
from serving.pattern_signs import without_pattern_signs


def test_a_model_in_such_a_folder_loads(tmp_path, model):
    shutil.copytree(model, tmp_path / "out [1]*" / "1")
    with FewShotClient.connect(str(tmp_path / "out [1]*")) as client:
        dark, bright = np.zeros((4, 4, 1), np.uint8), np.full((4, 4, 1), 255, np.uint8)
        assert client.classify({"d": [dark], "b": [bright]}, [bright]).labels == ["b"]


def test_the_link_is_the_same_every_time_and_others_have_none(tmp_path):
    folder = tmp_path / "a[b]"
    folder.mkdir()
    link = without_pattern_signs(folder)
    assert link == without_pattern_signs(folder) and link.resolve() == folder.resolve()
    assert without_pattern_signs(tmp_path) == tmp_path
