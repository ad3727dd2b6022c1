"""Colourful pictures that the project draws itself: a ground, shapes on it, and soft light."""

import numpy as np
from scipy import ndimage

SIZE = 64
"""Height and width in pixels."""


def draw_picture(rng: np.random.RandomState) -> np.ndarray:
    """A picture, `[SIZE, SIZE, 3]` float32 in 0..1: 3 to 8 shapes on a ground, each shaded."""
    along = np.linspace(-0.5, 0.5, SIZE, dtype=np.float32)
    rows, columns = along[:, np.newaxis], along[np.newaxis]
    picture = _shaded(rng, rows, columns)
    for _ in range(rng.randint(3, 9)):
        inside = _shape(rng, rows, columns)[..., None]
        picture = picture + inside * (_shaded(rng, rows, columns) - picture)
    if rng.uniform() < 0.5:
        picture = picture + _clouds(rng, rng.uniform(0.02, 0.12))[..., None]
    return np.clip(picture, 0.0, 1.0).astype(np.float32)


def _shaded(rng: np.random.RandomState, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """One colour that runs into another across the picture, `[SIZE, SIZE, 3]`."""
    first, second = (np.float32(rng.uniform(size=3)) for _ in range(2))
    second = first + np.float32(rng.choice([0.0, 0.3, 1.0])) * (second - first)
    angle = rng.uniform(0.0, 2 * np.pi)
    along = 0.5 + columns * np.cos(angle) + rows * np.sin(angle)
    return first + np.clip(along, 0.0, 1.0)[..., None] * (second - first)


def _shape(rng: np.random.RandomState, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """An ellipse, a rectangle or a ring, turned and with an edge one pixel wide: 0..1."""
    angle, (y, x) = rng.uniform(0.0, np.pi), rng.uniform(-0.45, 0.45, 2)
    height, width = rng.uniform(0.05, 0.4, 2)
    down = ((rows - y) * np.cos(angle) + (columns - x) * np.sin(angle)) / height
    across = ((columns - x) * np.cos(angle) - (rows - y) * np.sin(angle)) / width
    kind = rng.randint(3)
    distance = np.maximum(abs(down), abs(across)) if kind == 1 else np.hypot(down, across)
    if kind == 2:
        distance = 0.8 + abs(distance - 0.8)  # a band from 0.6 to 1
    pixels = (1.0 - distance) * min(height, width) * SIZE
    return np.clip(pixels + 0.5, 0.0, 1.0)


def _clouds(rng: np.random.RandomState, contrast: float) -> np.ndarray:
    """Smooth noise of mean 0, `[SIZE, SIZE]`."""
    noise = ndimage.gaussian_filter(
        np.float32(rng.normal(size=(SIZE, SIZE))), rng.uniform(0.6, 4.0)
    )
    return contrast * noise / noise.std()
