"""Recordings of every common kind are the samples that were written, or are refused by name."""

import io
import struct
import wave

import numpy as np
import pytest

from serving.files.recordings import Wanted, check_file, decode, encode_for_graph, read_header
from serving.files.unreadable import UnreadableFile
from serving.files.wav import to_wav

RATE = 8_000
TONE = (0.5 * np.sin(np.arange(900) / 5)).astype(np.float32)
GUID = b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"  # what follows the format in EXTENSIBLE


def stored(samples: np.ndarray, bits: int, real: bool) -> bytes:
    if real:
        return samples.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return np.round(samples * 127 + 128).astype(np.uint8).tobytes()
    whole = np.round(samples.astype(np.float64) * (2 ** (bits - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()


def wav(
    samples=TONE, *, bits=16, real=False, rate=RATE, extensible=False, sizes=None, junk=b""
) -> bytes:
    """A WAV file by hand; `samples` is `[T]` or `[T, channels]`."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    block, tag = channels * bits // 8, 3 if real else 1
    form = struct.pack(
        "<HHLLHH", 0xFFFE if extensible else tag, channels, rate, rate * block, block, bits
    )
    if extensible:
        form += struct.pack("<HHLH", 22, bits, 0, tag) + GUID
    data = stored(samples, bits, real)
    riff_size, data_size = sizes or (20 + len(form) + len(junk) + len(data), len(data))
    chunks = b"fmt " + struct.pack("<L", len(form)) + form + b"data" + struct.pack("<L", data_size)
    return b"RIFF" + struct.pack("<L", riff_size) + b"WAVE" + junk + chunks + data


KINDS = [(8, False), (16, False), (24, False), (32, False), (32, True), (64, True)]


@pytest.mark.parametrize(("bits", "real"), KINDS)
@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(
    "sizes", [None, (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFFFFF, 0x7FFFFFDB), (0, 0)]
)
def test_every_kind_of_wav(bits, real, extensible, sizes):
    content = wav(bits=bits, real=real, extensible=extensible, sizes=sizes)
    got = decode(content, Wanted(RATE))
    assert got.dtype == np.float32 and got.shape == TONE.shape
    assert np.abs(got - TONE).max() <= (0.01 if bits == 8 else 1e-4)


def test_chunks_before_the_samples_are_passed_over():
    junk = b"LIST" + struct.pack("<L", 5) + b"hello\0"  # an odd size is followed by a zero
    assert np.array_equal(decode(wav(junk=junk), Wanted(RATE)), decode(wav(), Wanted(RATE)))


def test_16_bits_are_exactly_what_the_graph_decodes():
    import tensorflow as tf

    expected = tf.audio.decode_wav(wav()).audio[:, 0].numpy()
    assert np.array_equal(decode(wav(), Wanted(RATE)), expected)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (wav(rate=44_100), "it has 44100 samples a second, not 8000"),
        (wav(np.stack([TONE, TONE], 1)), r"it has 2 channel\(s\) of 16 bits, not one"),
        (wav(TONE[:0]), "it has 0 seconds"),
        (wav(np.tile(TONE, 20)), "it has 2.25 seconds, more than 2"),
        (wav()[:-10], "it ends too early"),
        (wav()[:30], "it ends too early"),
        (b"RIFF", "it ends too early"),
        (wav().replace(b"fmt \x10\0\0\0\1", b"fmt \x10\0\0\0\7"), r"compressed \(mu-law\)"),
        (wav(np.full(9, np.nan), bits=32, real=True), "no finite numbers"),
        (wav(rate=0), "0 samples a second"),
        (b"", r"it is empty \(0 bytes\)"),
        (b"<html>", "it is not a wav, flac, ogg or mp3 file"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(content, reason):
    with pytest.raises(UnreadableFile, match=reason):
        decode(content, Wanted(RATE, max_seconds=2))


def test_channels_are_mixed_when_asked_for():
    content = wav(np.stack([TONE, -TONE / 2], 1), bits=32, real=True)
    assert np.allclose(decode(content, Wanted(RATE, downmix=True)), TONE / 4)


@pytest.mark.parametrize("rate", [4_000, 11_025, 16_000, 44_100, 48_000])
def test_another_rate_is_the_same_tone_when_asked_for(rate):
    seconds = np.arange(rate) / rate
    content = wav(np.sin(2 * np.pi * 440 * seconds) / 2, rate=rate, bits=32, real=True)
    got = decode(content, Wanted(RATE, resample=True))
    expected = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) / 2
    assert got.shape == (RATE,) and got.dtype == np.float32
    assert np.abs(got - expected)[100:-100].max() < 0.01


def test_a_check_reads_the_header_of_a_file(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(bits=24))
    header = check_file(tmp_path / "a.wav", Wanted(RATE))
    assert (header.rate, header.channels, header.frames) == (RATE, 1, 900)
    assert header.coding == "24 bits"
    with pytest.raises(UnreadableFile, match="no such file or directory"):
        check_file(tmp_path / "b.wav", Wanted(RATE))


def test_a_graph_gets_only_what_it_reads():
    import tensorflow as tf

    plain = wav()
    assert encode_for_graph(plain) == plain
    files = [wav(bits=bits, real=real, extensible=True) for bits, real in KINDS]
    files += [wav(sizes=sizes) for sizes in ((0xFFFFFFFF, 0xFFFFFFFF), (44, 0x7FFFF000), (0, 0))]
    files += [wav(junk=b"LIST\5\0\0\0abcde\0"), plain + b"\0", plain + b"data\4\0\0\0abcd"]
    for content in files:
        again = tf.audio.decode_wav(encode_for_graph(content)).audio[:, 0].numpy()
        assert np.abs(again - decode(content, Wanted(RATE))).max() < 1e-4
    loud = encode_for_graph(wav(32_768 * TONE, bits=32, real=True))
    again = tf.audio.decode_wav(loud).audio[:, 0].numpy()
    np.testing.assert_allclose(again, TONE / np.abs(TONE).max(), atol=1e-4)
    with pytest.raises(UnreadableFile, match="2 channel"):
        encode_for_graph(wav(np.stack([TONE, TONE], 1)))


def test_what_is_written_is_what_other_programs_read():
    with wave.open(io.BytesIO(to_wav(TONE, RATE))) as file:
        assert file.getparams()[:4] == (1, 2, RATE, 900)
        samples = np.frombuffer(file.readframes(900), "<i2") / 32_768
    assert np.abs(samples - TONE).max() < 1e-4


@pytest.mark.parametrize("form", ["FLAC", "OGG", "MP3"])
def test_other_formats_are_read_by_soundfile(form):
    soundfile = pytest.importorskip("soundfile")
    file = io.BytesIO()
    tone = np.tile(TONE, 9)
    soundfile.write(file, tone, RATE, format=form)
    header = read_header(file)
    assert (header.kind, header.rate, header.channels) == (form.lower(), RATE, 1)
    got = decode(file.getvalue(), Wanted(RATE))
    assert abs(len(got) - len(tone)) < 2_000 and np.abs(got).max() > 0.3
    if form == "FLAC":
        assert np.abs(got - tone).max() < 1e-3
    with pytest.raises(UnreadableFile, match="8000 samples a second, not 9000"):
        decode(file.getvalue(), Wanted(9_000))


def test_without_soundfile_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(UnreadableFile, match="reading flac files needs soundfile"):
        decode(b"fLaC and more", Wanted(RATE))
