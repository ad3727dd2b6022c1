"""A folder of folders of wav files: what is read, and each wrong file by name."""

import wave

import numpy as np
import pytest
import tensorflow as tf

from components.episode_gen.options import DataOptions
from components.episode_gen.sources import open_source
from components.modalities.speech import audio_modality
from serving.errors import UserError

RATE = 8_000


def write(path, samples, *, rate=RATE, channels=1, width=2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(np.repeat(np.asarray(samples, f"<i{width}"), channels).tobytes())


def folder(path, **options) -> DataOptions:
    return DataOptions(source="folder", path=str(path), sample_rate=RATE, **options)


def tone(length: int) -> np.ndarray:
    return (8_000 * np.sin(np.arange(length) / 5)).astype(np.int16)


def test_a_recording_is_what_the_served_encoded_signature_would_make_of_it(tmp_path):
    write(tmp_path / "yes" / "1.wav", tone(900))
    source = open_source(folder(tmp_path))
    (stored,) = source.read("yes")
    file = (tmp_path / "yes" / "1.wav").read_bytes()
    served = audio_modality(source.spec).decode(tf.constant([file]), "query_x", tf.range(1))
    assert np.array_equal(source.spec.from_bytes(stored.content), served[0])


def test_speakers_are_groups(tmp_path):
    for speaker, length in (("ann", 100), ("bob", 120)):
        write(tmp_path / speaker / "yes" / "1.wav", tone(length))
    entries = list(open_source(folder(tmp_path, split_by="group")).catalogue())
    assert [(e.class_name, e.group) for e in entries] == [("ann/yes", "ann"), ("bob/yes", "bob")]


@pytest.mark.parametrize(
    ("form", "length", "reason"),
    [
        ({"rate": 44_100}, 100, "44100 samples a second"),
        ({"channels": 2}, 100, r"2 channel\(s\) of 16 bits"),
        ({}, 0, "0 seconds"),
        ({}, RATE * 2, "2.00 seconds"),
    ],
)
def test_a_wrong_recording_is_named_with_the_reason(tmp_path, form, length, reason):
    write(tmp_path / "yes" / "good.wav", tone(100))
    write(tmp_path / "yes" / "odd.wav", np.zeros(length), **form)
    source = open_source(folder(tmp_path, max_seconds=1.0))
    assert source.spec.max_seconds == 1.0
    with pytest.raises(UserError, match=rf"yes/odd\.wav' cannot \(.*{reason}.*\)"):
        list(source.catalogue())


def test_a_file_that_is_no_wav_or_ends_early(tmp_path):
    (tmp_path / "yes").mkdir()
    for content in (b"ID3 an mp3 renamed", b"RIFF"):
        (tmp_path / "yes" / "1.wav").write_bytes(content)
        with pytest.raises(UserError, match=r"yes/1\.wav' cannot"):
            list(open_source(folder(tmp_path)).catalogue())
