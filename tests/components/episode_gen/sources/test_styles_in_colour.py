"""Styles in colour: every effect keeps pixels in their place, and folders give the pictures."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from components.episode_gen import targets
from components.episode_gen.colour_styles import effects, pictures
from components.episode_gen.colour_styles.style import apply_style, draw_new_style, draw_style
from components.episode_gen.options import DataOptions
from components.episode_gen.sources import open_source
from serving.errors import UserError

EFFECTS = effects.COLOURS | effects.SPATIAL | effects.NEW
DATA = DataOptions(source="styles_in_colour", tasks=3, examples_per_task=4)


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_depends_on_a_pixels_neighbourhood_alone(name):
    """24 rows lower is a multiple of each screen's period: far from the edge, all is the same."""
    rng = np.random.RandomState([1])
    picture = pictures.draw_picture(rng)
    style = [(name, EFFECTS[name](rng))]
    styled, lower = (apply_style(p, style) for p in (picture, np.roll(picture, 24, axis=0)))
    assert styled.shape == picture.shape and styled.dtype == np.float32
    assert styled.min() >= 0.0 and styled.max() <= 1.0 and np.abs(styled - picture).max() > 0.05
    np.testing.assert_allclose(lower[34:54], styled[10:30], atol=1e-5)


def test_styles_differ_and_new_ones_have_a_kind_that_none_of_the_others_has():
    styles = [draw_style(np.random.RandomState([task])) for task in range(100)]
    assert len({repr(style) for style in styles}) == 100
    kinds = {effect.name for style in styles for effect in style}
    assert kinds == {*effects.COLOURS, *effects.SPATIAL, "grain"}
    new = [draw_new_style(np.random.RandomState([task])) for task in range(30)]
    assert all({effect.name for effect in style} - kinds for style in new)


def read(data: DataOptions) -> list[tuple[np.ndarray, np.ndarray]]:
    source = open_source(data)
    stored = [one for part in source.parts() for one in source.read(part)]
    pairs = (targets.split(one.content, source.spec) for one in stored)
    shape = source.spec.shape
    return [(source.spec.from_bytes(x), y.reshape(shape)) for x, y in pairs]


def test_pictures_of_a_folder(tmp_path):
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (220, 220, 40)]
    (tmp_path / "more").mkdir()
    for number, colour in enumerate(colours):
        Image.new("RGB", (90, 70), colour).save(tmp_path / "more" / f"{number}.png")
    data = dataclasses.replace(DATA, path=str(tmp_path))
    pairs = read(data)
    assert len(pairs) == 12
    assert {tuple(x[0, 0]) for x, _ in pairs[:4]} == set(colours)
    assert open_source(data).fingerprint() != open_source(DATA).fingerprint()


def test_mistakes_in_a_folder_are_sentences(tmp_path):
    data = dataclasses.replace(DATA, path=str(tmp_path / "none"))
    with pytest.raises(UserError, match="must be a folder of pictures"):
        open_source(data)
    with pytest.raises(UserError, match="must have at least the 4 pictures"):
        open_source(dataclasses.replace(data, path=str(tmp_path)))
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"must be readable; .*0\.png"):
        read(dataclasses.replace(data, path=str(tmp_path)))
