"""Draws characters of random strokes: alphabets, prototypes and their variation by hand.

Coordinates are in units of the character's box: 0..1, x to the right, y down. Random numbers come
from NumPy's RandomState, whose streams are frozen: a seed draws the same glyphs on every version.
"""

from typing import NamedTuple

import numpy as np

SIZE = 28  # pixels, height and width of a drawing
_POINTS_PER_PIXEL = 1.25  # dense enough that even the thinnest pen draws no dots
_MIN_SEGMENTS = 3  # characters of fewer would differ in their slant alone
_MIN_ASPECT = 0.3  # so that no character is a mere line


class Alphabet(NamedTuple):
    """The style that the characters of one alphabet share."""

    strokes: np.ndarray  # probabilities of 1, 2, 3 and 4 strokes
    bend: float  # 0 draws straight lines between the points of a stroke, 1 a smooth curve
    reach: float  # standard deviation of the step from one point of a stroke to the next
    width: float  # width of the pen in pixels
    slant: float  # shear of the whole alphabet
    grid: int  # points snap to a grid of that many lines, which makes characters look designed


class Hand(NamedTuple):
    """Standard deviations of the drawings of one character."""

    jitter: float = 0.035  # deviation of each point, in boxes
    rotation: float = 0.12  # deviation of the angle, in radians
    shear: float = 0.12  # deviation of the slant
    scale: float = 0.09  # deviation of the logarithm of width and height
    shift: float = 0.042  # deviation of the position, in boxes
    pen: float = 0.18  # deviation of the logarithm of the pen's width


def draw_alphabet(rng: np.random.RandomState) -> Alphabet:
    """Draws the style of an alphabet."""
    return Alphabet(
        strokes=rng.dirichlet([0.6, 2.0, 2.0, 1.0]),
        bend=float(rng.choice([0.0, 0.5, 1.0], p=[0.25, 0.25, 0.5])),
        reach=rng.uniform(0.28, 0.45),
        width=rng.uniform(1.3, 2.3),
        slant=rng.normal(0.0, 0.12),
        grid=int(rng.randint(4, 8)),
    )


def draw_prototype(rng: np.random.RandomState, alphabet: Alphabet) -> list[np.ndarray]:
    """Draws a character: strokes of `[points, 2]`, each of 2 to 5 points."""
    while True:
        count = 1 + rng.choice(4, p=alphabet.strokes)
        strokes = [_draw_stroke(rng, alphabet) for _ in range(count)]
        segments = sum(len(stroke) - 1 for stroke in strokes)
        sides = np.ptp(np.concatenate(strokes), axis=0)
        if segments >= _MIN_SEGMENTS and sides.min() >= _MIN_ASPECT * sides.max():
            return _fill_box(strokes)


def _draw_stroke(rng: np.random.RandomState, alphabet: Alphabet) -> np.ndarray:
    """`[2..5, 2]` points on the alphabet's grid, no two neighbours equal."""
    while True:
        points = [rng.uniform(0.0, 1.0, 2)]
        for _ in range(rng.randint(1, 5)):
            # A step that would leave the box is reflected back into it.
            point = np.abs(points[-1] + rng.normal(0.0, alphabet.reach, 2))
            points.append(np.clip(1.0 - np.abs(1.0 - point), 0.0, 1.0))
        snapped = np.round(np.array(points) * (alphabet.grid - 1)) / (alphabet.grid - 1)
        if np.abs(np.diff(snapped, axis=0)).sum(axis=1).all():
            return snapped


def draw_glyph(
    rng: np.random.RandomState, prototype: list[np.ndarray], alphabet: Alphabet, hand: Hand
) -> np.ndarray:
    """Draws a character by hand: `[28, 28, 1]` uint8, ink 0 on paper 255."""
    angle, shear = rng.normal(0.0, hand.rotation), rng.normal(alphabet.slant, hand.shear)
    scale = np.exp(rng.normal(0.0, hand.scale, 2)) * 0.68
    cosine, sine = np.cos(angle), np.sin(angle)
    affine = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1.0, shear], [0.0, 1.0]])
    affine = affine @ np.diag(scale)
    centre = 0.5 + rng.normal(0.0, hand.shift, 2)
    lines = [
        (spline(stroke + rng.normal(0.0, hand.jitter, stroke.shape), alphabet.bend) - 0.5)
        @ affine.T
        + centre
        for stroke in prototype
    ]
    width = alphabet.width * np.exp(rng.normal(0.0, hand.pen))
    return rasterise(np.concatenate(lines) * SIZE, width)


def spline(points: np.ndarray, bend: float) -> np.ndarray:
    """Points `[p, 2]` of a cardinal spline through control points `[n, 2]`."""
    segments = len(points) - 1
    longest = np.sqrt((np.diff(points, axis=0) ** 2).sum(axis=1)).max() * SIZE
    at = np.linspace(0.0, segments, 2 + int(_POINTS_PER_PIXEL * longest) * segments)
    left = np.minimum(at.astype(int), segments - 1)
    t = (at - left)[:, None]
    padded = np.concatenate([points[:1], points, points[-1:]])
    before, start, end, after = (padded[left + i] for i in range(4))
    leaving, arriving = 0.5 * bend * (end - before), 0.5 * bend * (after - start)
    curve = (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * leaving
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * arriving
    )
    # Without bend the tangents vanish and the points bunch up at the ends: straight lines instead.
    return curve if bend else start + t * (end - start)


def rasterise(points: np.ndarray, width: float) -> np.ndarray:
    """Draws points `[p, 2]` in pixels with a round pen of `width` pixels, anti-aliased."""
    pixels = np.arange(SIZE, dtype=np.float32) + 0.5
    dx = (pixels[None, :] - points[:, :1].astype(np.float32)) ** 2
    dy = (pixels[None, :] - points[:, 1:].astype(np.float32)) ** 2
    distance = np.sqrt((dy[:, :, None] + dx[:, None, :]).min(axis=0))
    ink = np.clip(width / 2 + 0.5 - distance, 0.0, 1.0)
    return np.round(255.0 * (1.0 - ink)).astype(np.uint8)[:, :, None]


def _fill_box(strokes: list[np.ndarray]) -> list[np.ndarray]:
    """Moves and scales a character so that its longer side fills the box."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    longer = max(float((high - low).max()), 0.25)
    return [(stroke - (low + high) / 2) / longer + 0.5 for stroke in strokes]
