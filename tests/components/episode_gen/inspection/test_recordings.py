"""What the inspection of a folder of recordings says is what the pipeline will meet."""

import wave

import numpy as np
import pytest

from components.episode_gen.check import check_data
from components.episode_gen.inspection import inspect
from components.episode_gen.options import DataOptions, EpisodeOptions


def write(path, seconds: float, *, rate: int = 8_000, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pitch = np.random.default_rng(len(str(path))).uniform(0.1, 0.5)
    samples = 8_000 * np.sin(pitch * np.arange(round(seconds * rate)))
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(samples.astype("<i2"), channels).tobytes())


@pytest.fixture
def faulty_folder(tmp_path):
    """Six words of three recordings, and one file of each fault."""
    for word in range(6):
        for number in range(3):
            write(tmp_path / f"word_{word}" / f"{number}.wav", 0.1 * (1 + word + 6 * number))
    write(tmp_path / "word_0" / "fast.wav", 0.5, rate=44_100)
    write(tmp_path / "word_1" / "stereo.wav", 0.5, channels=2)
    write(tmp_path / "word_2" / "silent.wav", 0.0)
    write(tmp_path / "word_3" / "long.wav", 10.5)
    (tmp_path / "word_4" / "cut.wav").write_bytes(b"RIFF")
    (tmp_path / "word_5" / "copy.wav").write_bytes((tmp_path / "word_4" / "0.wav").read_bytes())
    return tmp_path


def test_it_counts_and_measures(faulty_folder):
    found = inspect(faulty_folder)
    assert (found.kind, found.modality) == ("a folder of recordings", "audio")
    assert found.class_sizes == {f"word_{word}": 3 + (word == 5) for word in range(6)}
    assert found.copies == {"word_5/copy.wav": "word_4/0.wav"}
    assert found.facts["lengths"] == "0.1 to 1.8, median 0.9 seconds"
    assert found.facts["sample rates"].endswith("of 8000 a second, 1 of 44100 a second")


def test_each_fault_is_named_with_its_reason(faulty_folder):
    reasons = inspect(faulty_folder).unreadable
    assert set(reasons) == {
        "word_0/fast.wav",
        "word_1/stereo.wav",
        "word_2/silent.wav",
        "word_3/long.wav",
        "word_4/cut.wav",
    }
    assert "44100 samples a second" in reasons["word_0/fast.wav"]
    assert "2 channel(s)" in reasons["word_1/stereo.wav"]
    assert reasons["word_2/silent.wav"] == "it has 0 seconds"


def test_equal_files_in_different_classes_are_named(faulty_folder):
    assert inspect(faulty_folder).duplicates == [["word_4/0.wav", "word_5/copy.wav"]]


def test_the_section_reads_what_was_found(faulty_folder):
    found = inspect(faulty_folder)
    data = DataOptions(**found.data, split_counts=(2, 2, 2))
    checked = check_data(data, EpisodeOptions(ways=2, shots=1, queries=1))
    assert checked.spec.sample_rate == 8_000
    assert {n: len(ids) for n, ids in checked.catalogue.examples.items()} == found.class_sizes
    assert checked.skipped == found.unreadable


def test_speakers_are_groups(tmp_path):
    for number, speaker in enumerate(("ann", "bob", "cy")):
        write(tmp_path / speaker / "yes" / "1.wav", 0.1 + number / 100)
    found = inspect(tmp_path)
    assert found.data["split_by"] == "group" and found.facts["groups"] == "3"
