"""Examples as pictures, for people to see."""

from typing import Any

import numpy as np

from components.modalities.base import ExampleSpec

HAVE_PICTURES = ("image", "audio")  # modalities whose examples can be shown as a picture


def as_picture(example: Any, spec: ExampleSpec) -> np.ndarray:
    """The picture of an example, `[H, W, C]` uint8: the image, or the spectrogram of a recording.

    In a spectrogram time runs from left to right, high frequencies are at the top, loud is dark.
    """
    if spec.modality != "audio":
        return np.asarray(example)
    from components.modalities.speech import spectrogram

    bands = spectrogram(np.asarray(example)[np.newaxis], spec.sample_rate or 0)[0].numpy()
    loudness = (bands - bands.min()) / max(float(np.ptp(bands)), 1e-9)
    return as_pixels(1.0 - loudness.T[::-1, :, np.newaxis])


def as_pixels(brightness: np.ndarray) -> np.ndarray:
    """Converts brightness in 0..1 to uint8; values outside are clipped."""
    return np.round(255.0 * np.clip(brightness, 0.0, 1.0)).astype(np.uint8)
