"""What people look at: an image is itself, a recording its spectrogram."""

import numpy as np

from components.modalities.base import ExampleSpec
from components.modalities.pictures import as_picture

RATE = 8_000
AUDIO = ExampleSpec("audio", "float32", (None,), sample_rate=RATE)


def tone(hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(RATE // 4) / RATE).astype(np.float32)


def test_a_high_tone_is_dark_above_a_low_one():
    darkest = [as_picture(tone(hertz), AUDIO).mean(axis=(1, 2)).argmin() for hertz in (200, 2_000)]
    assert darkest[1] < darkest[0]


def test_silence_has_a_picture_too():
    assert as_picture(np.zeros(RATE, np.float32), AUDIO).dtype == np.uint8


def test_an_image_is_itself():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert (as_picture(image, ExampleSpec("image", "uint8", (4, 4, 3))) == image).all()
