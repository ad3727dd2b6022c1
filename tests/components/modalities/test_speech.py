"""Spectrograms inside the graph: padding, loudness, length, and wav files that are refused."""

import io
import wave

import numpy as np
import pytest
import tensorflow as tf

from components.modalities.base import ExampleSpec
from components.modalities.speech import FRAMES, MEL_BANDS, audio_modality

RATE = 8_000
AUDIO = audio_modality(ExampleSpec("audio", "float32", (None,), sample_rate=RATE, max_seconds=1.0))
PREPARE, DECODE = tf.function(AUDIO.prepare), tf.function(AUDIO.decode)


def wav(length: int, *, rate: int = RATE, channels: int = 1, width: int = 2) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(b"\x01" * (length * channels * width))
    return buffer.getvalue()


def recording(length: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=length)
    return (0.1 * noise * np.sin(np.arange(length) / 300)).astype(np.float32)


@pytest.mark.parametrize("length", [1, 79, 80, 81, 256, 3_001, RATE])
@pytest.mark.parametrize("padding", [1, 80, 5_000])
def test_padding_changes_nothing(length, padding):
    alone = PREPARE(tf.constant(recording(length)[None, None]))
    padded = PREPARE(tf.constant(np.pad(recording(length), (0, padding))[None, None]))
    assert alone.shape == (1, 1, FRAMES, MEL_BANDS, 1)
    assert np.abs(alone - padded).max() <= 1e-5


def test_a_recording_does_not_depend_on_the_others_of_the_stack():
    stack = np.stack([recording(3_000, 1), recording(3_000, 2)])
    assert np.abs(PREPARE(tf.constant(stack))[1] - PREPARE(tf.constant(stack[1:]))[0]).max() <= 1e-5


def test_loudness_does_not_matter():
    quiet = PREPARE(tf.constant(0.01 * recording(3_000)[None]))
    assert np.allclose(quiet, PREPARE(tf.constant(recording(3_000)[None])), atol=1e-3)


def test_silence_and_no_samples_at_all_are_finite():
    for x in (np.zeros((2, 500), np.float32), np.zeros((2, 0), np.float32)):
        found = PREPARE(tf.constant(x))
        assert np.isfinite(found).all() and np.ptp(found) <= 1e-5


def test_a_tone_is_in_its_band_however_long():
    def band(hertz: float, length: int) -> int:
        x = np.sin(2 * np.pi * hertz * np.arange(length) / RATE).astype(np.float32)
        return int(AUDIO.raw_features(x[None])[0].argmax())

    assert band(500, 2_000) == band(500, 7_000) < band(2_000, 2_000)


def test_wav_files_of_any_length_are_padded_to_the_longest():
    decoded = DECODE(tf.constant([wav(100), b"", wav(300)]), "query_x", tf.range(3))
    assert decoded.shape == (3, 300) and not decoded[1].numpy().any()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"not a wav", "file 7 of `query_x` must be a wav file, and is not."),
        (wav(10, rate=44_100), "must be mono and of 8000 samples a second, and is of 44100"),
        (wav(10, channels=2), "and is of 8000 samples a second and 2 channel"),
        (wav(0), "file 7 of `query_x` must have samples, and is of 0 seconds."),
        (wav(RATE + 1), "must have at most 8000 samples; got 8001."),
        (wav(100)[:6], "file 7 of `query_x` must be a whole file, and ends too early."),
        (wav(100)[:30], "file 7 of `query_x` must be a whole file, and ends too early."),
        (wav(100)[:-1], "file 7 of `query_x` must be a whole file, and ends too early."),
        (wav(10, width=1), "query_x"),
    ],
)
def test_a_wrong_file_is_refused_with_the_name_of_the_input(file, sentence):
    with pytest.raises(tf.errors.InvalidArgumentError) as refused:
        DECODE(tf.constant([wav(100), file]), "query_x", tf.constant([6, 7]))
    assert sentence in refused.value.message


def test_the_baseline_sees_the_spectrogram_averaged_over_time():
    stack = np.stack([recording(3_000, seed) for seed in range(3)])
    found = AUDIO.raw_features(stack)
    assert found.shape == (3, MEL_BANDS)
    np.testing.assert_allclose(found, PREPARE(stack).numpy()[..., 0].mean(axis=1), atol=1e-5)
