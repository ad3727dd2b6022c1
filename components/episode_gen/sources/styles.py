"""Styles: few-shot image-to-image. A task is one style; an example is a character and the same
character in that style.

A style is drawn from stroke width, slant, blur, texture and inversion, each there or not, each with
a strength of its own: the strengths are continuous, so that no two tasks are alike, and a style of
meta-test was never seen.
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from components.episode_gen.glyphs.strokes import (
    SIZE,
    Hand,
    draw_alphabet,
    draw_glyph,
    draw_prototype,
)
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import Source
from components.episode_gen.sources.generated import GeneratedTasks
from components.modalities.base import ExampleSpec
from serving.errors import UserError

SPEC = ExampleSpec("image", "uint8", (SIZE, SIZE, 1), target_shape=(SIZE, SIZE, 1))
SHARE = 0.5
"""Of the styles that have each of the parts."""
CHARACTERS = 500


class Style(NamedTuple):
    """Attributes:
    width: pixels that the pen grows (above 0) or shrinks (below 0) by.
    slant: shear; a column moves by so many pixels for each row above the middle.
    blur: standard deviation in pixels.
    texture: contrast of the hatching that ink is filled with, 0..1.
    period, angle: of the hatching, in pixels and radians.
    ink, paper: brightness of each, 0..1; inverted where ink is brighter.
    """

    width: float
    slant: float
    blur: float
    texture: float
    period: float
    angle: float
    ink: float
    paper: float


def open_source(data: DataOptions) -> Source:
    """`data.tasks` styles of `data.examples_per_task` characters each.

    Raises:
      UserError: there are not so many characters.
    """
    if data.examples_per_task > CHARACTERS:
        raise UserError(
            f"`data.examples_per_task` must be at most the {CHARACTERS} characters that styles are "
            f"shown on: got {data.examples_per_task}."
        )
    spec = dataclasses.replace(SPEC, invert=data.invert)
    return GeneratedTasks("style", version=1, spec=spec, draw=draw_pairs, data=data)


def draw_pairs(rng: np.random.RandomState, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of a character, `[28, 28, 1]` uint8, and its styled form, `[28, 28, 1]` in 0..1."""
    style = draw_style(rng)
    for image in characters()[rng.permutation(CHARACTERS)[:count]]:
        yield image, apply_style(image[..., 0] / 255.0, style)[..., None]


@functools.cache
def characters() -> np.ndarray:
    """`[CHARACTERS, 28, 28, 1]` uint8: those that every style is shown on."""
    rng = np.random.RandomState([0])
    alphabets = [draw_alphabet(rng) for _ in range(CHARACTERS)]
    return np.stack([draw_glyph(rng, draw_prototype(rng, a), a, Hand()) for a in alphabets])


def draw_style(rng: np.random.RandomState) -> Style:
    """A style with at least one part."""
    while True:
        parts = rng.uniform(size=5) < SHARE
        if parts.any():
            break
    width, slant, blur, texture, inversion = parts
    dark, bright = rng.uniform(0.0, 0.25), rng.uniform(0.75, 1.0)
    return Style(
        width=rng.choice([-0.8, 1.0]) * rng.uniform(0.5, 1.0) * width,
        slant=rng.choice([-1, 1]) * rng.uniform(0.15, 0.45) * slant,
        blur=rng.uniform(0.6, 1.4) * blur,
        texture=rng.uniform(0.5, 0.9) * texture,
        period=rng.uniform(2.5, 5.0),
        angle=rng.uniform(0.0, np.pi),
        ink=bright if inversion else dark,
        paper=dark if inversion else bright,
    )


def apply_style(image: np.ndarray, style: Style) -> np.ndarray:
    """`[H, W]` brightness in 0..1, ink 0 on paper 1, to the same character in a style."""
    ink = _sheared(1.0 - image, style.slant)
    # A soft threshold of the blurred strokes grows or shrinks them by parts of a pixel.
    if style.width:
        ink = np.clip(0.5 + 2.5 * (_blurred(ink, 0.8) - 0.5 + 0.3 * style.width), 0.0, 1.0)
    if style.texture:
        rows, columns = np.mgrid[0 : ink.shape[0], 0 : ink.shape[1]]
        along = columns * np.cos(style.angle) + rows * np.sin(style.angle)
        hatching = 0.5 + 0.5 * np.sin(2 * np.pi * along / style.period)
        ink = ink * (1.0 - style.texture * hatching)
    if style.blur:
        ink = _blurred(ink, style.blur)
    return (style.paper + (style.ink - style.paper) * ink).astype(np.float32)


def _sheared(ink: np.ndarray, slant: float) -> np.ndarray:
    """Moves each row sideways, with linear interpolation; what comes in from outside is paper."""
    height, width = ink.shape
    columns = np.arange(width)
    moved = [
        np.interp(columns - slant * (height / 2 - row), columns, ink[row], left=0, right=0)
        for row in range(height)
    ]
    return np.stack(moved)


def _blurred(ink: np.ndarray, deviation: float) -> np.ndarray:
    """A Gaussian blur, zero outside."""
    offsets = np.arange(-4, 5)
    kernel = np.exp(-0.5 * (offsets / deviation) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(ink, 4)
    rows = sum(k * padded[4 + o : 4 + o + ink.shape[0]] for o, k in zip(offsets, kernel))
    return sum(k * rows[:, 4 + o : 4 + o + ink.shape[1]] for o, k in zip(offsets, kernel))
