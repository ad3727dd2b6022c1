"""Examples as pictures, for people to look at."""

from typing import Any

import numpy as np

from components.modalities.base import ExampleSpec

HAVE_PICTURES = ("image", "audio")
"""The modalities whose examples have one."""


def as_picture(example: Any, spec: ExampleSpec) -> np.ndarray:
    """`[H, W, C]` uint8: an image as it is, a recording as its spectrogram.

    Of a spectrogram, time goes from left to right, high is above low, and loud is dark.
    """
    if spec.modality != "audio":
        return np.asarray(example)
    from components.modalities.speech import spectrogram

    bands = spectrogram(np.asarray(example)[np.newaxis], spec.sample_rate or 0)[0].numpy()
    loudness = (bands - bands.min()) / max(float(np.ptp(bands)), 1e-9)
    return as_pixels(1.0 - loudness.T[::-1, :, np.newaxis])


def as_pixels(brightness: np.ndarray) -> np.ndarray:
    """0..1, what is beyond cut off, to uint8."""
    return np.round(255.0 * np.clip(brightness, 0.0, 1.0)).astype(np.uint8)
