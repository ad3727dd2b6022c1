"""`fewshot restyle`: the style of a few pairs on a picture of any size, or a sentence."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from components.episode_gen.colour_styles.pictures import draw_picture
from components.modalities.base import ExampleSpec
from pipeline.cli import main
from tests.serving.exported.small_exports import Model

SHAPE = (16, 16, 3)
MODEL = Model(
    ExampleSpec("image", "uint8", SHAPE, target_shape=SHAPE),
    {"name": "r2d2", "backbone": {"name": "image_filters", "filters": 4, "features": 4}},
)


def picture(seed: int) -> np.ndarray:
    return np.round(255 * draw_picture(np.random.RandomState([seed]))).astype(np.uint8)


def style(picture: np.ndarray) -> np.ndarray:
    """Red and blue change places, and all is darker."""
    return (picture[..., ::-1] * 0.8).astype(np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("model")
    MODEL.export(folder / "1")
    return str(folder)


@pytest.fixture
def folder(tmp_path):
    """Two pairs in `pairs`, and `in.png`, which is larger and not square."""
    for side, change in (("before", lambda x: x), ("after", style)):
        (tmp_path / "pairs" / side).mkdir(parents=True)
        for seed in range(2):
            Image.fromarray(change(picture(seed))).save(tmp_path / f"pairs/{side}/{seed}.png")
    wide = np.concatenate([picture(2), picture(3)], axis=1)[:50]
    Image.fromarray(wide).save(tmp_path / "in.png")
    return tmp_path


def restyle(folder, *more: str, output: str = "out.png"):
    given = ["--support", str(folder / "pairs"), str(folder / "in.png"), str(folder / output)]
    return CliRunner().invoke(main, ["restyle", *given, *more])


def test_a_picture_of_another_size_gets_the_style(folder, model):
    result = restyle(folder, "--model", model)
    assert result.exit_code == 0, result.output
    assert "128 x 50 pixels in the style of 2 pairs" in result.output
    restyled = np.asarray(Image.open(folder / "out.png"))
    original = np.asarray(Image.open(folder / "in.png"))
    assert restyled.shape == original.shape
    assert np.abs(restyled.astype(float) - style(original)).mean() < 4


def test_what_was_changed_before_is_said(folder, model):
    transparent = np.dstack([picture(5), np.full((64, 64), 100, np.uint8)])
    Image.fromarray(transparent).save(folder / "in.png")
    result = restyle(folder, "--model", model, "--longest", "32")
    assert result.exit_code == 0, result.output
    assert "transparency was laid on white" in result.output
    assert "was scaled down to 32 x 32 pixels" in result.output


def without_pairs(folder):
    for file in folder.glob("pairs/*/*"):
        file.unlink()


MISTAKES = {
    "no folder": (lambda f: (f / "pairs").rename(f / "other"), "is no folder"),
    "no pairs": (without_pairs, "has none of png"),
    "no partner": (lambda f: (f / "pairs/after/1.png").unlink(), "1 has none"),
    "two of a name": (
        lambda f: Image.fromarray(picture(0)).save(f / "pairs/before/0.bmp"),
        "has both 0.bmp and 0.png",
    ),
    "sizes of a pair": (
        lambda f: Image.fromarray(picture(0)[:40]).save(f / "pairs/after/0.png"),
        "of a pair must have one size",
    ),
    "sizes of pairs": (
        lambda f: [
            Image.fromarray(picture(0)[:40]).save(f / f"pairs/{side}/1.png")
            for side in ("before", "after")
        ],
        "All pairs must have one size",
    ),
    "no picture": (lambda f: (f / "in.png").write_text("text"), "must be a readable picture"),
    "absent": (lambda f: (f / "in.png").unlink(), "must be a readable picture"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_sentence_and_nothing_is_written(folder, mistake):
    make, sentence = MISTAKES[mistake]
    make(folder)
    result = restyle(folder, "--model", str(folder))
    assert result.exit_code == 2 and "Traceback" not in result.output
    assert sentence in result.output, result.output
    assert not (folder / "out.png").exists()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("in.png", "must not overwrite"),
        ("pairs/before/0.png", "must not overwrite"),
        ("out.jpg", "must be a .png file"),
        ("absent/out.png", "in a folder that exists"),
    ],
)
def test_the_output_replaces_nothing_that_is_read(folder, output, sentence):
    before = (folder / "in.png").read_bytes()
    result = restyle(folder, "--model", str(folder), output=output)
    assert result.exit_code == 2 and sentence in result.output, result.output
    assert (folder / "in.png").read_bytes() == before


def test_another_kind_of_model_is_refused(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    learner = {"name": "protonet", "backbone": {"filters": 4, "blocks": 1}}
    Model(ExampleSpec("image", "uint8", SHAPE), learner).export(other / "1")
    result = restyle(folder, "--model", str(other))
    assert result.exit_code == 2
    assert "must take pairs of colour pictures of any size" in result.output
