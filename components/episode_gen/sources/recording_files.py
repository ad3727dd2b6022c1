"""The recordings of a user: samples of one channel at `data.sample_rate`."""

from pathlib import Path

import numpy as np

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import FileKind
from components.modalities.base import ExampleSpec
from serving.files.recordings import SUFFIXES, Wanted, check_file, decode
from serving.files.unreadable import read_content


def recording_files(data: DataOptions) -> FileKind:
    """Recordings of `data.sample_rate` and at most `data.max_seconds`."""

    def read(path: Path) -> np.ndarray:
        return decode(read_content(path), wanted(data))

    def check(path: Path) -> None:
        check_file(path, wanted(data))

    return FileKind("recordings", SUFFIXES, audio_spec(data), check, read)


def wanted(data: DataOptions) -> Wanted:
    """What a recording must be, or be converted to."""
    return Wanted(data.sample_rate, data.max_seconds, data.resample, data.downmix)


def audio_spec(data: DataOptions) -> ExampleSpec:
    """Recordings of `data.sample_rate` and at most `data.max_seconds`, as they are stored."""
    rate, longest = data.sample_rate, data.max_seconds
    return ExampleSpec("audio", "float32", (None,), sample_rate=rate, max_seconds=longest)
