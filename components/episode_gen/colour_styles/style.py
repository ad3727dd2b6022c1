"""Draws styles, and applies them."""

from typing import Any, NamedTuple

import numpy as np

from components.episode_gen.colour_styles import effects

COLOUR_SHARE = 0.7  # probability that a style maps colours
GRAIN_SHARE = 0.2  # probability that a style has grain
COUNTS = (0.2, 0.5, 0.3)  # probabilities that it has 0, 1 or 2 of the other effects


class Effect(NamedTuple):
    """A function of `effects` by name, and its values."""

    name: str
    values: dict[str, Any]


Style = tuple[Effect, ...]
"""The effects of a style in the order in which they apply."""


def draw_style(rng: np.random.RandomState) -> Style:
    """A style of 0 to 2 spatial effects, a map of colours, and grain: at least one of these."""
    count = rng.choice(len(COUNTS), p=COUNTS)
    names = sorted(rng.permutation(len(effects.SPATIAL))[:count])
    spatial = [_draw(rng, effects.SPATIAL, list(effects.SPATIAL)[number]) for number in names]
    return (*spatial, *_draw_finish(rng, coloured=not spatial or rng.uniform() < COLOUR_SHARE))


def draw_new_style(rng: np.random.RandomState) -> Style:
    """A style with one effect of a kind that no style of `draw_style` has."""
    new = _draw(rng, effects.NEW, sorted(effects.NEW)[rng.randint(len(effects.NEW))])
    return (new, *_draw_finish(rng, coloured=rng.uniform() < COLOUR_SHARE))


def _draw_finish(rng: np.random.RandomState, *, coloured: bool) -> list[Effect]:
    """A map of colours and grain, or what the style has of them."""
    name = sorted(effects.COLOURS)[rng.randint(len(effects.COLOURS))]
    grain = [Effect("grain", effects.draw_grain(rng))] if rng.uniform() < GRAIN_SHARE else []
    return ([_draw(rng, effects.COLOURS, name)] if coloured else []) + grain


def _draw(rng: np.random.RandomState, table: effects.Table, name: str) -> Effect:
    return Effect(name, table[name](rng))


def apply_style(picture: np.ndarray, style: Style) -> np.ndarray:
    """The picture `[H, W, 3]` float32 in 0..1 in a style, likewise."""
    for name, values in style:
        picture = np.clip(getattr(effects, name)(picture, **values), 0.0, 1.0)
    return picture.astype(np.float32)
