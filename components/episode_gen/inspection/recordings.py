"""A folder of recordings: root/word/recording, or root/speaker/word/recording."""

from collections import Counter
from pathlib import Path

from components.episode_gen.inspection import files
from components.episode_gen.inspection.base import Inspection, counted, spread
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.recording_files import recording_files
from serving.files.folders import ClassFolders
from serving.files.recordings import read_header
from serving.files.unreadable import UnreadableFile


def inspect(path: Path, folders: ClassFolders, split_by: str | None) -> Inspection:
    """Reads every recording as the pipeline will, at the sample rate that most of them have."""
    rates = _sample_rates(path, folders)
    rate = rates.most_common(1)[0][0] if rates else DataOptions.sample_rate
    kind = recording_files(DataOptions(source="folder", path=str(path), sample_rate=rate))
    looked = files.Looked(path, folders, lambda file: len(kind.read(file)) / rate, split_by)
    seconds = spread(round(seconds, 2) for seconds in looked.seen.values())
    facts = {
        "sample rates": counted(f"of {rate} a second" for rate in rates.elements()),
        "lengths": f"{seconds} seconds",
    }
    return looked.inspection("a folder of recordings", "audio", {"sample_rate": rate}, facts)


def _sample_rates(path: Path, folders: ClassFolders) -> Counter[int]:
    """How many of the recordings that have a header are of which sample rate."""
    rates: Counter[int] = Counter()
    for folder, names in folders.files.items():
        for name in names:
            try:
                with open(path / folder / name, "rb") as file:
                    rates[read_header(file).rate] += 1
            except (OSError, UnreadableFile):
                continue  # it is named with its reason when it is read
    return rates
