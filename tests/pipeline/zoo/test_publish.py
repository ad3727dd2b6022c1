"""`fewshot zoo`: only what was blessed and pushed is published, whole, and by its licence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from components.meta_trainer.encoders.files import read_safetensors
from pipeline.cli import main
from pipeline.evaluate.model import find_model
from pipeline.zoo.publish import publish_run
from serving.client import connect
from serving.errors import UserError
from serving.model_server import command as server
from serving.protocol.model_spec import ModelSpec
from serving.zoo import fetch, index
from tests.pipeline.zoo.conftest import BASE, SUMMARY


def publish(run, output, **options):
    return publish_run(
        run, **{"name": "golden", "output": output, "weights_licence": "MIT"} | options
    )


@pytest.fixture(scope="module")
def entry(pushed_run, tmp_path_factory):
    return publish(pushed_run, tmp_path_factory.mktemp("published") / "zoo")


@pytest.fixture
def published(entry, monkeypatch):
    monkeypatch.setenv("FEWSHOT_ZOO", str(entry.place))
    return entry


def test_the_index_tells_what_the_run_measured(published):
    (entry,) = index.read_index(published.place)
    assert entry == published == index.find_entry("zoo:golden")
    assert (entry.value, entry.ci95, entry.ci95_by_class, entry.episodes) == (
        0.91,
        0.004,
        0.006,
        600,
    )
    assert (entry.modality, entry.learner, entry.commit) == ("image", "protonet", "abc")
    assert (entry.data_licence, entry.weights_licence) == ("MIT", "MIT")
    assert entry.size == entry.beside_index.stat().st_size


def test_a_folder_of_the_zoo_has_all_that_is_published(published):
    folder = fetch.fetch(published)
    assert (folder / "1/saved_model.pb").is_file()
    config = yaml.safe_load((folder / "config.yaml").read_text())
    summary = json.loads((folder / "1.summary.json").read_text())
    assert config == summary["config"] and summary["test"] == SUMMARY["test"]
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"/home/me" not in everything
    weights = read_safetensors(folder / "weights.safetensors")
    assert {w.dtype for w in weights.values()} == {np.dtype("float32")}
    assert "body/conv1_kernel" in weights


def test_the_card_has_the_front_matter_of_hubs(published):
    text = (fetch.fetch(published) / "MODEL_CARD.md").read_text()
    _, front, body = text.split("---\n", 2)
    values = yaml.safe_load(front)
    assert values["license"] == "mit" and values["pipeline_tag"] == "image-classification"
    (result,) = values["model-index"][0]["results"]
    assert result["metrics"] == [{"type": "accuracy", "value": 0.91}]
    assert "0.9100 ± 0.0040" in body and "nearest centroid of pixels" in body
    assert "not ahead of itself: -0.0100 ± 0.0200" in body and "not ahead of nearest" not in body
    assert "drawn by a program" in body and "at commit abc" in body
    assert "for 40 meta-steps, from the weights of the model `before`, on glyphs" in body


def test_a_published_model_is_the_pushed_one(pushed_run, published, monkeypatch):
    folder, pushed = fetch.fetch(published) / "1", pushed_run / BASE / "7"
    files = {path.relative_to(pushed) for path in pushed.rglob("*") if path.is_file()}
    assert files == {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert all((folder / name).read_bytes() == (pushed / name).read_bytes() for name in files)


def test_all_that_takes_a_model_takes_its_name(published, monkeypatch):
    folder = fetch.fetch(published)
    monkeypatch.setattr(connect, "_open_disk", lambda path, _: path)
    assert connect.open_transport("zoo:golden", ModelSpec("default"), None) == folder
    assert find_model(Path("zoo:golden")).folder == folder / "1"
    assert find_model(Path("zoo:golden")).config["data"]["source"] == "glyphs"
    served = []
    monkeypatch.setattr(server, "run", served.append)
    for words, name in ([], "golden"), (["--model-name", "other"], "other"):
        main(["serve", "--model", "zoo:golden@1", *words], standalone_mode=False)
        assert (served[-1].model_base_path, served[-1].model_name) == (str(folder), name)
    with pytest.raises(UserError, match="Give one of `--model`"):
        server.serve.main(
            ["--model", "zoo:golden", "--model-base-path", "x"], standalone_mode=False
        )


def test_a_second_publication_is_the_next_version(pushed_run, published, tmp_path):
    zoo = shutil.copytree(published.place, tmp_path / "zoo")
    second = publish(pushed_run, zoo)
    assert second.version == 2 and (zoo / "golden-1.tar.xz").exists()
    assert [entry.version for entry in index.read_index(zoo)] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "options", "sentence"),
    [
        ({"blessed": False}, {}, "must be a run that pushed a blessed model"),
        ({"pushed": None}, {}, "must be a run that pushed a blessed model"),
        ({"dataset": "cmaterdb"}, {}, "allow commercial use: cmaterdb"),
        ({"dataset": "cmaterdb"}, {"data_licence": "MIT"}, "known to be non-commercial"),
        ({"dataset": "my_birds"}, {}, "`--data-licence` must be given"),
        ({"dataset": "my_birds"}, {"data_licence": "CC-BY-NC-4.0"}, "allow commercial use"),
        ({}, {"name": "My Model"}, "`--name` must be lower-case letters"),
    ],
)
def test_what_is_not_published(pushed_run, tmp_path, changes, options, sentence):
    run = shutil.copytree(pushed_run, tmp_path / "run")
    summary = SUMMARY | {"pushed": "/home/me/7"} | changes
    (run / BASE / "7.summary.json").write_text(json.dumps(summary))
    with pytest.raises(UserError, match=sentence):
        publish(run, tmp_path / "zoo", **options)
    assert not (tmp_path / "zoo").exists()


def test_the_commands(pushed_run, tmp_path, monkeypatch):
    def call(*words, status=0):
        done = CliRunner().invoke(main, words, env={"COLUMNS": "200"})
        assert done.exit_code == status, done.output
        return done.output

    zoo = str(tmp_path / "zoo")
    words = ["zoo", "publish", str(pushed_run), "--name", "golden", "--weights-licence", "MIT"]
    assert f"FEWSHOT_ZOO={zoo} fewshot query --model zoo:golden" in call(*words, "--output", zoo)
    monkeypatch.setenv("FEWSHOT_ZOO", zoo)
    assert "0.9100 ± 0.0040" in call("zoo", "list") and "packaged" in call("zoo", "list")
    folder = call("zoo", "fetch", "golden").strip()
    assert folder in call("zoo", "show", "zoo:golden") and "in the cache" in call("zoo", "list")
    assert "must be one of" in call("zoo", "show", "nothing", status=2)
