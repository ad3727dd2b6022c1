"""The tags of a TIFF file and of EXIF data, which have the same form."""

import re
import struct
from typing import NamedTuple

from serving.files.unreadable import UnreadableFile

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
ORIENTATION, SAMPLES, EXTRA_SAMPLES, SAMPLE_FORMAT = 274, 277, 338, 339

_SIZES = {1: "B", 3: "H", 4: "L", 6: "b", 8: "h", 9: "l"}
_MAX_DIRECTORIES = 10_000
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)\s*([1-8])")


class TiffTags(NamedTuple):
    """The integer tags of the first directory, and the number of directories (pages)."""

    values: dict[int, tuple[int, ...]]
    pages: int

    def get(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return self.values.get(tag, (default,))[0]


def read_tags(content: bytes) -> TiffTags:
    """The tags of a TIFF file, or of EXIF data without their "Exif" prefix.

    Raises:
      UnreadableFile: it is cut, is a BigTIFF, or is no TIFF.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None:
        big = content[:4] in (b"II+\0", b"MM\0+")
        raise UnreadableFile("it is a BigTIFF file" if big else "it is no TIFF file")
    try:
        (start,) = struct.unpack_from(f"{order}L", content, 4)
        values, following = _directory(content, order, start)
        starts = {start}
        while following and following not in starts and len(starts) < _MAX_DIRECTORIES:
            starts.add(following)
            (count,) = struct.unpack_from(f"{order}H", content, following)
            (following,) = struct.unpack_from(f"{order}L", content, following + 2 + 12 * count)
    except struct.error:
        raise UnreadableFile("it ends too early") from None
    return TiffTags(values, len(starts))


def exif_orientation(content: bytes) -> int:
    """The orientation that EXIF data (with or without "Exif" prefix) name; 1 if they name none."""
    try:
        tags = read_tags(content.removeprefix(b"Exif\0\0"))
    except UnreadableFile:
        return 1
    orientation = tags.get(ORIENTATION, 1)
    return orientation if 1 <= orientation <= 8 else 1


def xmp_orientation(content: bytes) -> int:
    """The same from an XMP packet."""
    match = _XMP_ORIENTATION.search(content)
    return int(match[1]) if match else 1


def _directory(content: bytes, order: str, start: int) -> tuple[dict[int, tuple[int, ...]], int]:
    """The integer tags of one directory, and where the next one starts (0: there is none)."""
    (count,) = struct.unpack_from(f"{order}H", content, start)
    values = {}
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(f"{order}HHL", content, place)
        if kind not in _SIZES or not 0 < length <= 64:
            continue
        form = f"{order}{length}{_SIZES[kind]}"
        size = struct.calcsize(form)
        try:
            at = place + 8 if size <= 4 else struct.unpack_from(f"{order}L", content, place + 8)[0]
            values[tag] = struct.unpack_from(form, content, at)
        except struct.error:
            continue  # a tag that lies outside the file matters only if it is asked for
    try:
        (following,) = struct.unpack_from(f"{order}L", content, start + 2 + 12 * count)
    except struct.error:
        following = 0  # EXIF data often end right after their only directory
    return values, following
