"""Generated classes: portraits, textures and sounds, the same at every call."""

from collections.abc import Iterator

import numpy as np

SAMPLE_RATE = 8000
SIZE = 48


def faces(classes: int = 40, examples: int = 10) -> Iterator[tuple[str, np.ndarray]]:
    """Grey ovals with eyes and mouth over a smooth pattern, each class its own; `uint8 [48, 48]`.

    The pictures of a class differ by a shift of up to two pixels, by light and by noise: pixels
    tell the classes apart well.
    """
    rng = np.random.default_rng(1)
    for label in range(classes):
        pattern = _smooth(rng, SIZE + 8, 4.0)
        shape = rng.uniform([0.60, 0.8, 0.30, 0.06, 0.15], [0.85, 1.0, 0.45, 0.12, 0.40])
        for _ in range(examples):
            top, left = 4 + rng.integers(-2, 3, size=2)
            noise = 0.04 * rng.normal(size=[SIZE, SIZE])
            y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j] + 0.04 * rng.normal(
                size=[2, 1, 1]
            )
            light = 0.12 * rng.normal() * x + 0.08 * rng.normal()
            inside = 1 / (1 + np.exp(20 * (np.hypot(x / shape[0], y / shape[1]) - 1)))
            eyes = np.exp(-(np.square(np.abs(x) - shape[2]) + np.square(y + 0.2)) / shape[3] ** 2)
            mouth = np.exp(-np.square((y - 0.5) / 0.06) - np.square(x / shape[4]) ** 2)
            cut = pattern[top : top + SIZE, left : left + SIZE]
            grey = 0.15 + inside * (0.5 + 0.12 * cut + light - 0.35 * eyes - 0.25 * mouth) + noise
            yield f"person_{label:02}", (255 * np.clip(grey, 0, 1)).astype(np.uint8)


def textures(
    classes: int = 60, examples: int = 20, size: int = 32
) -> Iterator[tuple[str, np.ndarray]]:
    """Crops of coloured waves at any place, mirrored or not; `uint8 [size, size, 3]`.

    A class has its directions and frequencies of waves, and colours that vary: no pixel has a
    meaning, and left and right do not matter.
    """
    rng = np.random.default_rng(2)
    y, x = np.mgrid[0:size, 0:size]
    for label in range(classes):
        waves = rng.uniform([0.2, 0.2], [1.4, 1.4], size=[3, 2]) * rng.choice([-1, 1], size=[3, 2])
        colours, power = rng.normal(size=[3, 3]), rng.uniform(0.5, 3.0)
        for _ in range(examples):
            phases = rng.uniform(0, 2 * np.pi, size=3)
            mixed = colours + 0.5 * rng.normal(size=[3, 3])
            each = [np.sin(a * x + b * y + phase) for (a, b), phase in zip(waves, phases)]
            each = [np.sign(wave) * np.abs(wave) ** power for wave in each]
            pixels = 0.5 + 0.12 * np.tensordot(np.stack(each, -1), mixed, 1)
            pixels += 0.05 * rng.normal(size=pixels.shape) + 0.08 * rng.normal(size=3)
            pixels = pixels[:, ::-1] if rng.random() < 0.5 else pixels
            yield f"texture_{label:02}", (255 * np.clip(pixels, 0, 1)).astype(np.uint8)


def sounds(classes: int = 60, examples: int = 12) -> Iterator[tuple[str, np.ndarray]]:
    """Glides and trills of a few notes, at another pitch and speed each time; `float64 [T]`."""
    rng = np.random.default_rng(3)
    for label in range(classes):
        notes = rng.uniform(-1, 1, size=4)
        trill, depth = rng.uniform(3, 12), rng.uniform(0, 0.15)
        overtones = rng.uniform(0, 1, size=4) ** 2
        for _ in range(examples):
            time = np.arange(0, rng.uniform(0.5, 0.8), 1 / SAMPLE_RATE)
            place = np.linspace(0, 3, len(time))
            octave = np.interp(place, np.arange(4), notes + 0.08 * rng.normal(size=4))
            octave = octave + 0.25 * rng.normal() + depth * np.sin(2 * np.pi * trill * time)
            phase = 2 * np.pi * np.cumsum(440 * 2**octave) / SAMPLE_RATE
            wave = sum(a * np.sin(n * phase) for n, a in enumerate([1, *overtones], start=1))
            wave = wave * np.hanning(len(time)) ** 0.3 * rng.uniform(0.3, 1) / 6
            yield f"call_{label:02}", np.clip(wave + 0.01 * rng.normal(size=len(time)), -1, 1)


def _smooth(rng: np.random.Generator, size: int, width: float) -> np.ndarray:
    """Noise `[size, size]` of unit variance without details finer than `width` pixels."""
    frequencies = np.fft.fftfreq(size)
    decay = np.exp(-2 * np.square(np.pi * width * np.hypot(*np.meshgrid(frequencies, frequencies))))
    field = np.fft.ifft2(np.fft.fft2(rng.normal(size=[size, size])) * decay).real
    return field / field.std()
