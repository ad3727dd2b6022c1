"""A folder of wav files: root/word/recording, or root/speaker/word/recording."""

import wave
from collections import Counter
from pathlib import Path

from components.episode_gen.inspection import files
from components.episode_gen.inspection.base import Inspection, counted, spread
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.folder import list_files
from components.episode_gen.sources.wav_files import SUFFIXES, wav_files


def matches(path: Path) -> bool:
    """Whether there are wav files one or two folders down."""
    return files.matches(path, SUFFIXES)


def inspect(path: Path) -> Inspection:
    """Reads every recording as the pipeline will, at the sample rate that most of them have."""
    rates = _sample_rates(path)
    rate = rates.most_common(1)[0][0] if rates else DataOptions.sample_rate
    kind = wav_files(DataOptions(source="folder", path=str(path), sample_rate=rate))
    looked = files.look_at_all(path, SUFFIXES, lambda file: len(kind.read(file)) / rate)
    return Inspection(
        kind="a folder of recordings",
        modality="audio",
        data=looked.section(path) | {"sample_rate": rate},
        class_sizes=looked.class_sizes(),
        facts=looked.facts()
        | {
            "sample rates": counted(f"of {rate} a second" for rate in rates.elements()),
            "lengths": f"{spread(round(seconds, 2) for seconds in looked.seen.values())} seconds",
        },
        unreadable=looked.unreadable,
        duplicates=looked.duplicates(),
    )


def _sample_rates(path: Path) -> Counter[int]:
    """How many of the wav files that have a header are of which sample rate."""
    rates: Counter[int] = Counter()
    for depth in (1, 2):
        for folder, names in list_files(path, SUFFIXES, depth=depth).items():
            for name in names:
                try:
                    with wave.open(str(path / folder / name)) as file:
                        rates[file.getframerate()] += 1
                except (OSError, EOFError, wave.Error):
                    continue  # it is named with its reason when it is read
        if rates:
            break
    return rates
