"""Which model a path names, and which run it is of."""

import json
import shutil

import pytest

from pipeline.config import build_config
from pipeline.evaluate.model import find_model
from pipeline.start_from import with_start_folder
from serving.errors import UserError
from tests.pipeline.evaluate.conftest import VERSION


def test_every_path_to_a_model_leads_to_it(run_folder):
    for path in (run_folder, run_folder / "serving_model/golden", run_folder / VERSION):
        found = find_model(path)
        assert found.folder == run_folder / VERSION and found.spec.shape == (14, 14, 1)


def test_a_configuration_names_what_its_run_has_pushed(run_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text("data: {source: glyphs}\n")
    with pytest.raises(UserError, match="fewshot run --config"):
        find_model(tmp_path / "small.yaml")
    shutil.move(run_folder, tmp_path / "runs" / "small")
    assert (tmp_path / find_model(tmp_path / "small.yaml").folder).samefile(
        tmp_path / "runs/small" / VERSION
    )


def test_a_pushed_model_has_the_configuration_of_the_run_that_pushed_it(run_folder):
    config = json.loads((run_folder / "summary.json").read_text())["config"]
    (run_folder / f"{VERSION}.summary.json").write_text(json.dumps({"config": config}))
    later = config | {"episodes": {"ways": 3}}
    (run_folder / "summary.json").write_text(json.dumps({"config": later}))
    assert find_model(run_folder).config == find_model(run_folder / VERSION).config == config


def test_of_a_run_that_pushed_nothing_the_model_trained_last_is_taken(run_folder):
    for number in ("9", "10"):
        model = run_folder / "tfx/Trainer/model" / number / "Format-Serving"
        shutil.copytree(run_folder / VERSION, model)
    shutil.rmtree(run_folder / VERSION)
    assert find_model(run_folder).folder == model


def test_training_starts_from_a_run_or_a_location_that_its_machine_reads(run_folder, tmp_path):
    def start(name: str) -> str | None:
        config = build_config({"name": "again", "training": {"start_from": name}})
        return with_start_folder(config).training.start_from

    assert start(str(run_folder)) == str((run_folder / VERSION).resolve())
    assert start("gs://bucket/model") == "gs://bucket/model"
    assert with_start_folder(build_config({"name": "new"})).training.start_from is None
    with pytest.raises(UserError, match=r"start_from` must be a configuration, the folder"):
        start(str(tmp_path / "none"))
