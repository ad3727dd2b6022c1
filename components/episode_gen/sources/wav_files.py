"""The recordings of a user: 16-bit mono wav files, decoded as the served model decodes them."""

import wave
from pathlib import Path

import numpy as np

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.file_kind import FileKind, UnreadableFile
from components.modalities.base import ExampleSpec

SUFFIXES = frozenset({".wav"})


def wav_files(data: DataOptions) -> FileKind:
    """Recordings of `data.sample_rate` and at most `data.max_seconds`."""

    def check(path: Path) -> None:
        rate, longest = data.sample_rate, data.max_seconds
        try:
            with wave.open(str(path)) as file:
                form = file.getparams()
        except (OSError, EOFError, wave.Error) as error:
            raise UnreadableFile(_reason(error)) from None
        if form.framerate != rate:
            raise UnreadableFile(
                f"it has {form.framerate} samples a second, and `data.sample_rate` is {rate}"
            )
        if form.nchannels != 1 or form.sampwidth != 2:
            raise UnreadableFile(
                f"it must be 16-bit mono, and has {form.nchannels} channel(s) of "
                f"{8 * form.sampwidth} bits"
            )
        if not form.nframes:
            raise UnreadableFile("it has 0 seconds")
        if form.nframes > longest * rate:
            raise UnreadableFile(
                f"it has {form.nframes / rate:.2f} seconds, and `data.max_seconds` is {longest}"
            )

    def read(path: Path) -> np.ndarray:
        import tensorflow as tf

        check(path)
        try:
            return tf.audio.decode_wav(path.read_bytes()).audio[:, 0].numpy()
        except tf.errors.OpError as error:
            raise UnreadableFile(error.message.splitlines()[0]) from None

    return FileKind("wav files", SUFFIXES, audio_spec(data), check, read)


def audio_spec(data: DataOptions) -> ExampleSpec:
    """Recordings of `data.sample_rate` and at most `data.max_seconds`, as they are stored."""
    rate, longest = data.sample_rate, data.max_seconds
    return ExampleSpec("audio", "float32", (None,), sample_rate=rate, max_seconds=longest)


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return "it ends too early"
    return getattr(error, "strerror", None) or str(error)
