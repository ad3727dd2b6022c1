"""`fewshot data` and `fewshot init`, from a folder to a configuration that draws episodes."""

import shutil
import wave

import apache_beam as beam
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from components.episode_gen.check import check_data
from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import EpisodeGenConfig
from components.episodes.dataset import read_split
from pipeline.cli import main
from pipeline.config import load_config


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
    assert (
        "class_1/0.png: it is not a png, jpg, bmp, gif, pgm, ppm, pbm, webp or tiff file"
        in result.output
    )
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
    assert load_config("pictures.yaml").serving.model_name == "pictures"
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


@pytest.fixture
def own_data(folder):
    """A table and a folder of recordings, of six classes each; and what cannot be used of them."""
    rows = [f"request {n} of kind {n % 6},kind {n % 6}" for n in range(24)]
    (folder / "requests.csv").write_text("\n".join(["text,label", *rows, ",kind 1", ""]))
    for word in range(6):
        (folder / f"words/word_{word}").mkdir(parents=True)
        for number in range(4):
            with wave.open(str(folder / f"words/word_{word}/{number}.wav"), "wb") as file:
                file.setparams((1, 2, 8_000, 0, "NONE", ""))
                samples = 8_000 * np.sin((0.1 + 0.1 * word) * np.arange(800 + 100 * number))
                file.writeframes(samples.astype("<i2").tobytes())
    (folder / "words/word_0/none.wav").write_bytes(b"RIFF")
    return folder


OWN = [("requests.csv", "row 25 has no 'text'"), ("words", "word_0/none.wav: it ends too early")]


@pytest.mark.parametrize(("path", "unusable"), OWN)
def test_inspect_takes_tables_and_recordings(own_data, path, unusable):
    result = invoke("data", "inspect", path)
    assert result.exit_code == 0 and unusable in result.output
    if path == "words":
        assert Image.open(own_data / "episodes.png").width > 100
    else:
        assert result.output.count("  support ") == 3 * 2  # episodes x ways


@pytest.mark.parametrize("path", [path for path, _ in OWN])
def test_what_init_writes_makes_episodes(own_data, path):
    """Not only the configuration is right: EpisodeGen runs with it."""
    assert invoke("init", path, "--output", "mine.yaml").exit_code == 0
    config = load_config(
        "mine.yaml", ["episodes.counts={train: 4, eval: 2, test: 600}", "training.eval_episodes=2"]
    )
    record = generate_episodes(
        EpisodeGenConfig(config.data, config.episodes),
        uri=str(own_data / "episodes"),
        work=str(own_data / "work"),
        make_pipeline=lambda: beam.Pipeline(runner="FnApiRunner"),
    )
    assert record.ways == config.episodes.ways
    assert len(list(read_split(str(own_data / "episodes"), "train"))) == 4


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


def test_init_asks_whether_folders_are_splits_or_groups(folder):
    for split in ("train", "val", "test"):
        shutil.copytree("pictures", f"all/{split}")
        for path in (folder / "all" / split).rglob("*.png"):  # no copies of the others
            Image.open(path).rotate(90 * len(split)).save(path)
    result = invoke("init", "all")
    assert result.exit_code == 2 and "`--split-by class`" in result.output.splitlines()[-1]
    assert invoke("init", "all", "--split-by", "class").exit_code == 0
    config = load_config("all.yaml")
    assert config.data.split_by == "class" and sum(config.data.split_counts) == 6
    assert invoke("data", "show", "--config", "all.yaml").exit_code == 0


def test_init_keeps_the_splits_that_a_data_set_brings(folder):
    for number, split in enumerate(("train", "train", "val", "val", "test", "test")):
        target = folder / "all" / split / f"class_{number}"
        shutil.copytree(folder / "pictures" / f"class_{number}", target)
    result = invoke("init", "all")
    assert result.exit_code == 2 and "`--split-by given`" in result.output.splitlines()[-1]
    assert invoke("init", "all", "--split-by", "given", "--ways", "2").exit_code == 0
    data = load_config("all.yaml").data
    assert data.split_counts is None and check_data(data, None).splits == {
        "train": ["class_0", "class_1"],
        "eval": ["class_2", "class_3"],
        "test": ["class_4", "class_5"],
    }


def test_names_are_printed_as_they_are(folder):
    for number, name in enumerate(["[bold]", "[INST]", ":smile:", "a\nb", "{x}", "*?"]):
        (folder / "pictures" / f"class_{number}").rename(folder / "pictures" / name)
    (folder / "pictures/[bold]/[red].png").write_text("no image")
    result = invoke("data", "inspect", "pictures")
    assert result.exit_code == 0
    assert "  [bold]/[red].png: it is not a png" in result.output
    assert invoke("init", "pictures").exit_code == 0
    (folder / "pictures/:smile:/copy.png").write_bytes((folder / "pictures/*?/0.png").read_bytes())
    result = invoke("data", "inspect", "pictures")
    assert ":smile:/copy.png: equals *?/0.png" in result.output


def test_columns_are_chosen_by_name(folder):
    rows = [f"{n} words here,{n % 8},{n % 9}" for n in range(72)]
    (folder / "t.csv").write_text("\n".join(["sentence,head,tail", *rows]))
    result = invoke("init", "t.csv")
    assert result.exit_code == 2 and "(sentence, head, tail)" in result.output.splitlines()[-1]
    assert invoke("init", "t.csv", "--label-column", "tail", "--ways", "2").exit_code == 0
    config = load_config("t.yaml")
    assert (config.data.label_feature, config.episodes.ways) == ("tail", 2)
