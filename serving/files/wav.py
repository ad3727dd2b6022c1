"""WAV files of every common kind, read with NumPy alone."""

import struct
from typing import BinaryIO, NamedTuple

import numpy as np

from serving.files.unreadable import UnreadableFile

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_CODECS = {0x0002: "ADPCM", 0x0006: "A-law", 0x0007: "mu-law", 0x0011: "ADPCM", 0x0055: "MP3"}
_FORMS = {
    (_PCM, 8): "u1",
    (_PCM, 16): "<i2",
    (_PCM, 24): "u1",
    (_PCM, 32): "<i4",
    (_FLOAT, 32): "<f4",
    (_FLOAT, 64): "<f8",
}
_UNKNOWN_SIZE = 0x7FFF0000
"""A program that writes to a pipe cannot know the size, and gives the largest that there is."""


class WavHeader(NamedTuple):
    """What the header says."""

    rate: int  # samples a second
    channels: int  # 1 is mono
    bits: int  # of one sample
    real: bool  # whether samples are floating-point numbers
    # start, size: where the samples are in the file, in bytes
    start: int
    size: int

    @property
    def frames(self) -> int:
        """Samples of one channel."""
        return self.size // (self.channels * self.bits // 8)


def read_wav_header(file: BinaryIO) -> WavHeader:
    """The header of a WAV file; does not read the samples.

    Raises:
      UnreadableFile: it is none, is cut, or is of a kind that is not read.
    """
    end = file.seek(0, 2)
    file.seek(0)
    riff = file.read(12)
    if riff[:4] not in (b"RIFF", b"RF64") or riff[8:12] not in (b"WAVE", b""):
        raise UnreadableFile("it is not a wav file")
    form, place = None, 12
    while place + 8 <= end:
        file.seek(place)
        name, size = struct.unpack("<4sL", file.read(8))
        place += 8
        if name == b"fmt ":
            form = _form(file.read(min(size, 64)))
        elif name == b"data":
            if form is None:
                break
            if size >= _UNKNOWN_SIZE or (size == 0 and struct.unpack_from("<L", riff, 4)[0] == 0):
                size = end - place
            elif size > end - place:
                raise UnreadableFile("it ends too early")
            return form._replace(start=place, size=size)
        place += size + size % 2
    raise UnreadableFile("it ends too early")


def read_samples(content: bytes, header: WavHeader) -> np.ndarray:
    """`[frames, channels]` float32, whole numbers scaled to -1..1.

    Raises:
      UnreadableFile: a sample is no finite number.
    """
    width = header.bits // 8
    count = header.frames * header.channels
    stored = content[header.start : header.start + count * width]
    values = np.frombuffer(stored, _FORMS[_FLOAT if header.real else _PCM, header.bits])
    if header.real:
        if not np.isfinite(values).all() or np.abs(values).max(initial=0) > 1e6:
            raise UnreadableFile("it holds samples that are no finite numbers")
        samples: np.ndarray = values.astype(np.float32)
    elif header.bits == 8:
        samples = (values.astype(np.float32) - 128) / 128
    elif header.bits == 24:
        octets = np.zeros((count, 4), np.uint8)
        octets[:, 1:] = values.reshape(count, 3)
        samples = (octets.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
    else:
        # 16 bits over 32,768 are exact, and what TensorFlow's decoder gives.
        samples = (values / 2.0 ** (header.bits - 1)).astype(np.float32)
    return samples.reshape(-1, header.channels)


def to_wav(samples: np.ndarray, rate: int) -> bytes:
    """`[T]` float32 as a 16-bit mono WAV file; samples beyond -1..1 are all made quieter, not cut.

    A recording's loudness changes no answer, and programs write floats up to 32,768.
    """
    scale = 32_768 / max(1.0, np.abs(samples).max(initial=0.0))
    whole = np.clip(np.round(samples * scale), -32_768, 32_767).astype("<i2").tobytes()
    form = struct.pack("<HHLLHH", _PCM, 1, rate, 2 * rate, 2, 16)
    sizes = struct.pack("<L", 36 + len(whole)), struct.pack("<L", len(whole))
    return b"RIFF" + sizes[0] + b"WAVEfmt \x10\0\0\0" + form + b"data" + sizes[1] + whole


def _form(chunk: bytes) -> WavHeader:
    if len(chunk) < 16:
        raise UnreadableFile("it ends too early")
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHLLHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    if tag not in (_PCM, _FLOAT):
        codec = _CODECS.get(tag, f"codec {tag}")
        raise UnreadableFile(f"its samples are compressed ({codec}); save it as PCM")
    if channels < 1 or rate < 1:
        raise UnreadableFile(f"its header says {channels} channels of {rate} samples a second")
    # Samples of 12 or 20 bits are stored in the bytes of 16 or 24.
    stored = 8 * (block // channels)
    if (tag, stored) not in _FORMS or bits > stored:
        raise UnreadableFile(f"it has samples of {bits} bits in {stored // 8} bytes")
    return WavHeader(rate, channels, stored, tag == _FLOAT, 0, 0)
