"""`fewshot data` and `fewshot init`, from a folder to a configuration that draws episodes."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pipeline.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for number in range(6):
        (tmp_path / "pictures" / f"class_{number}").mkdir(parents=True)
        for image in range(3):
            pixels = np.random.default_rng([number, image]).integers(0, 256, (20, 20), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"pictures/class_{number}/{image}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str):
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_inspect_prints_and_draws(folder):
    (folder / "pictures/class_1/0.png").write_text("no image")
    result = invoke("data", "inspect", "pictures", "--sheet", "sheet.png")
    assert result.exit_code == 0
    assert "class_1/0.png: it is not a png, jpg, bmp or gif file" in result.output
    assert Image.open(folder / "sheet.png").width > 100


def test_inspect_names_the_classes_that_are_too_small(folder):
    (folder / "pictures/class_1/0.png").unlink()
    result = invoke("data", "inspect", "pictures", "--shots", "2", "--queries", "1")
    assert "Too few examples for 2 shots + 1 queries (1):" in result.output
    assert not (folder / "episodes.png").exists()


def test_init_writes_what_show_reads(folder):
    assert invoke("init", "pictures").exit_code == 0
    result = invoke("data", "show", "--config", "pictures.yaml", "--sheet", "sheet.png")
    assert result.exit_code == 0 and "classes" in result.output
    assert (folder / "sheet.png").exists()


def test_init_overwrites_nothing(folder):
    (folder / "pictures.yaml").write_text("mine")
    result = invoke("init", "pictures")
    assert result.exit_code == 2 and "must be a new file" in result.output
    assert (folder / "pictures.yaml").read_text() == "mine"


def test_a_wrong_path_is_one_sentence(folder):
    result = invoke("data", "inspect", "nowhere")
    assert result.exit_code == 2
    assert result.output.count("\n") == 1 and "is not there" in result.output


@pytest.mark.parametrize("source", ["sinusoid", "styles"])
def test_show_draws_or_prints_the_episodes_of_any_source(folder, source):
    (folder / "tasks.yaml").write_text(
        f"data: {{source: {source}, tasks: 9, examples_per_task: 5}}\n"
        "episodes: {ways: 1, shots: 2, queries: 3}\n"
    )
    result = invoke("data", "show", "--config", "tasks.yaml", "--count", "2")
    assert result.exit_code == 0
    if source == "styles":
        assert Image.open(folder / "episodes.png").height > 200
    else:
        assert result.output.count("  support ") == 4 and result.output.count("  query ") == 6
