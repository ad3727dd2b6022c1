"""Styles: few-shot image-to-image tasks. A task is one style.

An example is a character and the same character in that style. A style combines stroke width,
slant, blur, texture and inversion, each with probability `SHARE` and a random strength. Strengths
are continuous: no two tasks are alike, and no style of meta-test occurs in training.
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from components.episode_gen.glyphs import strokes
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import Source
from components.episode_gen.sources.generated import GeneratedTasks
from components.modalities.base import ExampleSpec
from serving.errors import UserError

_SHAPE = (strokes.SIZE, strokes.SIZE, 1)
SPEC = ExampleSpec("image", "uint8", _SHAPE, target_shape=_SHAPE)
SHARE = 0.5  # probability that a style has each of its parts
CHARACTERS = 500  # number of different characters


class Style(NamedTuple):
    """How characters of one task are drawn."""

    width: float  # growth of the pen in pixels; below 0 it shrinks
    slant: float  # shear; a row moves sideways by so many pixels for each row above the middle
    blur: float  # standard deviation in pixels
    texture: float  # contrast of the hatching that fills the ink, 0..1
    # period, angle: distance of the hatching's lines in pixels, and their angle in radians
    period: float
    angle: float
    # ink, paper: brightness of each, 0..1; inverted where ink is brighter
    ink: float
    paper: float


def open_source(data: DataOptions) -> Source:
    """`data.tasks` styles of `data.examples_per_task` characters; UserError if there are fewer."""
    if data.examples_per_task > CHARACTERS:
        raise UserError(
            f"`data.examples_per_task` must be at most the {CHARACTERS} characters that styles are "
            f"shown on: got {data.examples_per_task}."
        )
    spec = dataclasses.replace(SPEC, invert=data.invert)
    return GeneratedTasks("style", version=1, spec=spec, draw=draw_pairs, data=data)


def draw_pairs(rng: np.random.RandomState, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draws a style, and pairs of a character, `[28, 28, 1]` uint8, and its form in 0..1."""
    style = draw_style(rng)
    for image in characters()[rng.permutation(CHARACTERS)[:count]]:
        yield image, apply_style(image[..., 0] / 255.0, style)[..., None]


@functools.cache
def characters() -> np.ndarray:
    """The characters that all styles are applied to, `[CHARACTERS, 28, 28, 1]` uint8."""
    rng = np.random.RandomState([0])
    alphabets = [strokes.draw_alphabet(rng) for _ in range(CHARACTERS)]
    hand, draw_prototype = strokes.Hand(), strokes.draw_prototype
    return np.stack([strokes.draw_glyph(rng, draw_prototype(rng, a), a, hand) for a in alphabets])


def draw_style(rng: np.random.RandomState) -> Style:
    """Draws a style with at least one part."""
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
    """Draws a character, `[H, W]` in 0..1 with ink 0 on paper 1, in a style."""
    ink = _shear(1.0 - image, style.slant)
    # A soft threshold of the blurred strokes grows or shrinks them by parts of a pixel.
    if style.width:
        ink = np.clip(0.5 + 2.5 * (_blur(ink, 0.8) - 0.5 + 0.3 * style.width), 0.0, 1.0)
    if style.texture:
        rows, columns = np.mgrid[0 : ink.shape[0], 0 : ink.shape[1]]
        along = columns * np.cos(style.angle) + rows * np.sin(style.angle)
        hatching = 0.5 + 0.5 * np.sin(2 * np.pi * along / style.period)
        ink = ink * (1.0 - style.texture * hatching)
    if style.blur:
        ink = _blur(ink, style.blur)
    return (style.paper + (style.ink - style.paper) * ink).astype(np.float32)


def _shear(ink: np.ndarray, slant: float) -> np.ndarray:
    """Moves each row sideways, with linear interpolation; paper fills what comes from outside."""
    height, width = ink.shape
    columns = np.arange(width)
    moved = [
        np.interp(columns - slant * (height / 2 - row), columns, ink[row], left=0, right=0)
        for row in range(height)
    ]
    return np.stack(moved)


def _blur(ink: np.ndarray, deviation: float) -> np.ndarray:
    """A Gaussian blur, zero outside."""
    offsets = np.arange(-4, 5)
    kernel = np.exp(-0.5 * (offsets / deviation) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(ink, 4)
    rows = sum(k * padded[4 + o : 4 + o + ink.shape[0]] for o, k in zip(offsets, kernel))
    return sum(k * rows[:, 4 + o : 4 + o + ink.shape[1]] for o, k in zip(offsets, kernel))
