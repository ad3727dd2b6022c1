"""The effects that a style in colour is made of.

An effect is a function `(picture [H, W, 3] in 0..1, **values) -> picture` that keeps every pixel
in its place; `COLOURS`, `SPATIAL` and `NEW` have what draws its values. Screens of halftone and
hatching begin at the top left corner of the picture.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import ndimage

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
Values = dict[str, Any]
Table = Mapping[str, Callable[[np.random.RandomState], Values]]
"""What draws the values of each effect, by the name of its function."""


def matrix(picture: np.ndarray, *, rows: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Mixes the channels: a hue rotation, a change of saturation, a tint."""
    return picture @ rows.T + offset


def curves(picture: np.ndarray, *, gamma: np.ndarray, low: np.ndarray, high: np.ndarray):
    """A curve of each channel, `low + (high - low) * value ** gamma`; inverted if high < low."""
    return low + (high - low) * np.clip(picture, 0.0, 1.0) ** gamma


def duotone(picture: np.ndarray, *, dark: np.ndarray, bright: np.ndarray, gamma: float):
    """Two colours, mixed by luma."""
    light = np.clip(picture @ LUMA, 0.0, 1.0)[..., None] ** gamma
    return dark + light * (bright - dark)


def blur(picture: np.ndarray, *, deviation: float) -> np.ndarray:
    """A Gaussian blur; `deviation` in pixels."""
    return ndimage.gaussian_filter(picture, (deviation, deviation, 0), mode="nearest")


def posterise(picture: np.ndarray, *, levels: int) -> np.ndarray:
    """So many equally spaced values of each channel."""
    return np.round(np.clip(picture, 0.0, 1.0) * (levels - 1)) / (levels - 1)


def outline(picture: np.ndarray, *, strength: float, ink: np.ndarray, paper: float) -> np.ndarray:
    """Lines of `ink` where luma changes; the picture between them fades to white by `paper`."""
    luma = picture @ LUMA
    slope = np.hypot(ndimage.sobel(luma, 0, mode="nearest"), ndimage.sobel(luma, 1, mode="nearest"))
    line = np.clip(strength * slope - 0.2, 0.0, 1.0)[..., None]
    faded = picture + paper * (1.0 - picture)
    return faded + line * (ink - faded)


def halftone(picture: np.ndarray, *, period: int, diagonal: bool, ink: np.ndarray, paper):
    """Dots of `ink` on `paper` that are larger where the picture is darker, `period` pixels apart.

    A paper of `None` is the picture itself.
    """
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]] * (2 * np.pi / period)
    if diagonal:
        rows, columns = rows + columns, rows - columns
    screen = 0.5 + 0.25 * (np.cos(rows) + np.cos(columns))
    return _ink(picture, 1.0 - picture @ LUMA - (1.0 - screen), ink, paper)


def hatching(picture: np.ndarray, *, period: int, down: int, across: int, ink: np.ndarray, paper):
    """Lines of `ink` that are wider where the picture is darker, `period` pixels apart.

    The lines are level, upright or diagonal by `down` and `across`, each -1, 0 or 1.
    """
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]] * (2 * np.pi / period)
    screen = 0.5 + 0.5 * np.cos(down * rows + across * columns)
    return _ink(picture, 1.0 - picture @ LUMA - (1.0 - screen), ink, paper)


def grain(picture: np.ndarray, *, deviation: float, seed: int) -> np.ndarray:
    """Noise that differs from picture to picture: no model can foresee it."""
    content = int(1e6 * float(np.mean(picture, dtype=np.float64)))
    noise = np.random.RandomState([seed, content]).normal(0.0, deviation, picture.shape[:2])
    return picture + noise[..., None].astype(np.float32)


def _ink(picture: np.ndarray, darker: np.ndarray, ink: np.ndarray, paper: np.ndarray | None):
    """Ink where `darker` is above 0, with edges that are soft over a part of a pixel."""
    ground = picture if paper is None else paper
    return ground + np.clip(0.5 + 4.0 * darker, 0.0, 1.0)[..., None] * (ink - ground)


def emboss(picture: np.ndarray, *, strength: float, down: int, across: int) -> np.ndarray:
    """Light from one side on a grey relief of luma."""
    luma = picture @ LUMA
    slope = down * ndimage.sobel(luma, 0, mode="nearest")
    slope = slope + across * ndimage.sobel(luma, 1, mode="nearest")
    return np.repeat((0.5 + strength * slope)[..., None], 3, axis=-1)


def sharpen(picture: np.ndarray, *, deviation: float, strength: float) -> np.ndarray:
    """Unsharp masking."""
    return picture + strength * (picture - blur(picture, deviation=deviation))


def solarise(picture: np.ndarray, *, threshold: np.ndarray) -> np.ndarray:
    """Inverts what is brighter than a threshold of its channel."""
    return np.where(picture > threshold, 1.0 - picture, picture)


def _draw_matrix(rng: np.random.RandomState) -> Values:
    angle, saturation = rng.uniform(-np.pi, np.pi), rng.uniform(0.0, 1.6)
    grey = np.full((3, 3), 1.0 / 3.0)
    axis = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / np.sqrt(3.0)
    turn = np.cos(angle) * np.eye(3) + np.sin(angle) * axis + (1.0 - np.cos(angle)) * grey
    rows = grey + saturation * (turn - grey) + rng.normal(0.0, 0.08, (3, 3))
    return {"rows": rows, "offset": rng.normal(0.0, 0.06, 3)}


def _draw_curves(rng: np.random.RandomState) -> Values:
    low, high = rng.uniform(0.0, 0.3, 3), rng.uniform(0.7, 1.0, 3)
    if rng.uniform() < 0.3:
        low, high = high, low
    return {"gamma": np.exp(rng.uniform(-0.9, 0.9, 3)), "low": low, "high": high}


def _draw_duotone(rng: np.random.RandomState) -> Values:
    dark, bright = rng.uniform(0.0, 0.45, 3), rng.uniform(0.55, 1.0, 3)
    if rng.uniform() < 0.25:
        dark, bright = bright, dark
    return {"dark": dark, "bright": bright, "gamma": np.exp(rng.uniform(-0.6, 0.6))}


def _draw_inks(rng: np.random.RandomState) -> Values:
    paper = None if rng.uniform() < 0.5 else rng.uniform(0.75, 1.0, 3)
    return {"ink": rng.uniform(0.0, 0.35, 3), "paper": paper}


_DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1))


def _draw_hatching(rng: np.random.RandomState) -> Values:
    down, across = _DIRECTIONS[rng.randint(4)]
    return {"period": rng.choice([4, 6]), "down": down, "across": across} | _draw_inks(rng)


def _draw_emboss(rng: np.random.RandomState) -> Values:
    down, across = _DIRECTIONS[rng.randint(4)]
    return {
        "strength": rng.choice([-1, 1]) * rng.uniform(0.15, 0.4),
        "down": down,
        "across": across,
    }


def draw_grain(rng: np.random.RandomState) -> Values:
    """The values of `grain`."""
    return {"deviation": rng.uniform(0.01, 0.03), "seed": rng.randint(2**31)}


COLOURS: Table = {
    "matrix": _draw_matrix,
    "curves": _draw_curves,
    "duotone": _draw_duotone,
}
"""Maps of the colour of each pixel alone, and what draws their values."""
SPATIAL: Table = {
    "blur": lambda rng: {"deviation": rng.uniform(0.6, 1.6)},
    "outline": lambda rng: {
        "strength": rng.uniform(0.6, 2.0),
        "ink": rng.uniform(0.0, 0.4, 3),
        "paper": rng.uniform(0.0, 1.0),
    },
    "posterise": lambda rng: {"levels": rng.randint(2, 6)},
    "halftone": lambda rng: {
        "period": rng.choice([4, 6]),
        "diagonal": bool(rng.uniform() < 0.5),
        **_draw_inks(rng),
    },
    "hatching": _draw_hatching,
}
"""Effects that are no map of colours, in the order in which they apply."""
NEW: Table = {
    "emboss": _draw_emboss,
    "sharpen": lambda rng: {"deviation": rng.uniform(0.8, 2.0), "strength": rng.uniform(0.5, 1.5)},
    "solarise": lambda rng: {"threshold": rng.uniform(0.3, 0.7, 3)},
}
"""Kinds of effect that no style of meta-training has: for a harder test."""
