"""Recordings as float32 samples of one channel at one rate."""

import io
import math
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from serving.files.unreadable import UnreadableFile, reason_of
from serving.files.wav import read_samples, read_wav_header, to_wav

KINDS = "wav, flac, ogg and mp3"  # the recordings that are read, as a list in a sentence
SUFFIXES = frozenset((".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"))
"""Endings of their names, in lower case."""
_RATES = range(1_000, 768_001)


class RecordingHeader(NamedTuple):
    """What the header of a recording says."""

    kind: str  # "wav", "flac", "ogg" or "mp3"
    rate: int  # samples a second
    channels: int  # 1 is mono
    frames: int  # samples of one channel
    coding: str  # how samples are stored, as "16 bits"; for reasons and facts


class Wanted(NamedTuple):
    """What a recording must be, or be converted to."""

    rate: int  # samples a second
    max_seconds: float = math.inf  # longer recordings are refused
    resample: bool = False  # whether one of another rate is converted
    downmix: bool = False  # whether the mean of several channels is taken


def read_header(file: BinaryIO) -> RecordingHeader:
    """The header of a recording.

    Raises:
      UnreadableFile: it is none, is cut, or is of a kind that is not read here.
    """
    file.seek(0)
    start = file.read(12)
    kind = _kind_of(start)
    if kind != "wav":
        return _soundfile_header(kind, file)
    try:
        header = read_wav_header(file)
    except struct.error:
        raise UnreadableFile("it ends too early") from None
    coding = f"{header.bits} bits{' (float)' if header.real else ''}"
    return RecordingHeader("wav", header.rate, header.channels, header.frames, coding)


def check(file: BinaryIO, wanted: Wanted) -> RecordingHeader:
    """Refuses a recording by its header.

    Raises:
      UnreadableFile: as `read_header`; it is of another rate or of several channels and is not to
        be converted, is too long, or has no samples.
    """
    header = read_header(file)
    if header.rate not in _RATES:
        raise UnreadableFile(f"it has {header.rate} samples a second")
    if header.rate != wanted.rate and not wanted.resample:
        raise UnreadableFile(f"it has {header.rate} samples a second, not {wanted.rate}")
    if header.channels != 1 and not wanted.downmix:
        raise UnreadableFile(f"it has {header.channels} channel(s) of {header.coding}, not one")
    if not header.frames:
        cut = "" if header.kind == "wav" else ", or ends too early"
        raise UnreadableFile(f"it has 0 seconds{cut}")
    if header.frames > wanted.max_seconds * header.rate:
        seconds = header.frames / header.rate
        raise UnreadableFile(f"it has {seconds:.2f} seconds, more than {wanted.max_seconds:g}")
    return header


def check_file(path: Path, wanted: Wanted) -> RecordingHeader:
    """`check` of a file that is not read into memory."""
    try:
        with open(path, "rb") as file:
            return check(file, wanted)
    except (OSError, ValueError) as error:
        raise UnreadableFile(reason_of(error)) from None


def decode(content: bytes, wanted: Wanted) -> np.ndarray:
    """A recording as `[T]` float32; the samples of whole numbers are in -1..1.

    Raises:
      UnreadableFile: as `check`; or it is damaged.
    """
    file = io.BytesIO(content)
    header = check(file, wanted)
    if header.kind == "wav":
        samples = read_samples(content, read_wav_header(file))
    else:
        samples = _soundfile_samples(file)
    if not len(samples):
        raise UnreadableFile("it has 0 seconds")
    mono = samples[:, 0] if header.channels == 1 else samples.mean(axis=1, dtype=np.float32)
    return mono if header.rate == wanted.rate else resample(mono, header.rate, wanted.rate)


def resample(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """`[T]` float32 at another rate, by SciPy's polyphase filter (`resample_poly`).

    Raises:
      UnreadableFile: SciPy is not installed.
    """
    try:
        from scipy.signal import resample_poly
    except ImportError:
        raise UnreadableFile(
            f"it has {rate} samples a second, and conversion to {wanted} needs SciPy, which is not "
            "installed (pip install scipy)"
        ) from None
    common = math.gcd(rate, wanted)
    return resample_poly(samples, wanted // common, rate // common).astype(np.float32)


def encode_for_graph(content: bytes) -> bytes:
    """The recording as a 16-bit WAV file of the plainest form, which every exported graph reads.

    Its rate and length stay, for the graph to check; several channels are refused. A file that is
    of that form already stays as it is, to the byte.
    """
    rate = read_header(io.BytesIO(content)).rate
    return to_wav(decode(content, Wanted(rate)), rate)


def _kind_of(start: bytes) -> str:
    if not start:
        raise UnreadableFile("it is empty (0 bytes)")
    if start[:4] in (b"RIFF", b"RF64") and start[8:12] in (b"WAVE", b""):
        return "wav"
    for magic, kind in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"ID3", "mp3")):
        if start.startswith(magic):
            return kind
    if len(start) > 1 and start[0] == 0xFF and start[1] & 0xE6 == 0xE2:
        return "mp3"
    raise UnreadableFile(f"it is not a {KINDS.replace(' and ', ' or ')} file")


def _soundfile(kind: str) -> Any:
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: the library that it wraps is missing
        raise UnreadableFile(
            f"reading {kind} files needs soundfile, which is not installed (pip install soundfile)"
        ) from None
    return soundfile


def _soundfile_header(kind: str, file: BinaryIO) -> RecordingHeader:
    soundfile = _soundfile(kind)
    file.seek(0)
    try:
        info = soundfile.info(file)
    except Exception:  # on damaged files it raises whatever it comes upon
        raise UnreadableFile(f"it is a damaged {kind} file, or ends too early") from None
    if info.format == "WAV":
        raise UnreadableFile("it is a wav file behind the tags of an mp3 file; save it as wav")
    return RecordingHeader(kind, info.samplerate, info.channels, info.frames, info.subtype.lower())


def _soundfile_samples(file: BinaryIO) -> np.ndarray:
    file.seek(0)
    try:
        samples, _ = _soundfile("flac, ogg and mp3").read(file, dtype="float32", always_2d=True)
    except UnreadableFile:
        raise
    except Exception:  # as above
        raise UnreadableFile("it is damaged, or ends too early") from None
    if not np.isfinite(samples).all():
        raise UnreadableFile("it holds samples that are no finite numbers")
    return samples
