"""The headers of the picture formats, a function for each."""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from serving.files import tiff_tags
from serving.files.tiff_tags import exif_orientation, xmp_orientation
from serving.files.unreadable import UnreadableFile


class PictureHeader(NamedTuple):
    """What the header of a picture says."""

    kind: str  # "png", "jpeg", "bmp", "gif", "pnm", "webp" or "tiff"
    # width, height: as stored, in pixels; orientations 5 to 8 swap them
    width: int
    height: int
    bits: int  # of one value (a colour channel, or an index into the palette)
    colours: str  # "grey", "palette", "rgb", "cmyk" or "other"
    # Whether pixels may be transparent: by a channel, a colour, or outside the frame.
    transparent: bool = False
    orientation: int = 1  # 1 to 8, as in EXIF; 1 is upright
    frames: int = 1  # how many there are; the first is read
    # How pixels are stored where a kind has several ways: "progressive", "arithmetic", "bitfields",
    # ..., or where its metadata lie; else empty.
    coding: str = ""


def _png(content: bytes) -> PictureHeader:
    width, height, bits, colour_type = struct.unpack_from(">LLBB", content, 16)
    allowed = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    if content[12:16] != b"IHDR" or bits not in allowed.get(colour_type, ()):
        raise UnreadableFile("its header is damaged")
    transparent, orientation, frames, coding = colour_type >= 4, 1, 1, ""
    place = 33
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">L4s", content, place)
        data = content[place + 8 : place + 8 + min(length, 1 << 20)]
        if name == b"tRNS":
            transparent = True
        elif name == b"acTL" and length >= 4:
            frames = max(1, struct.unpack_from(">L", data)[0])
        elif name == b"eXIf":
            orientation = exif_orientation(data)
        elif name in (b"iTXt", b"zTXt", b"tEXt"):
            if data.startswith((b"Raw profile type exif\0", b"XML:com.adobe.xmp\0\1")):
                coding = "metadata in a coded text"
            if orientation == 1:
                orientation = _png_text_orientation(name, data)
        place += 12 + length
    colours = {0: "grey", 2: "rgb", 3: "palette", 4: "grey", 6: "rgb"}[colour_type]
    return PictureHeader(
        "png", width, height, bits, colours, transparent, orientation, frames, coding
    )


def _png_text_orientation(name: bytes, data: bytes) -> int:
    """The orientation in XMP or in EXIF data as ImageMagick writes them (a text of hex digits)."""
    key, _, value = data.partition(b"\0")
    try:
        if name == b"zTXt":
            value = zlib.decompressobj().decompress(value[1:], 1 << 20)
        if key == b"XML:com.adobe.xmp":
            if value[:1] == b"\1":  # compressed; after two more strings, each ended by a zero
                value = zlib.decompressobj().decompress(value[2:].split(b"\0", 2)[2], 1 << 20)
            return xmp_orientation(value)
        if key == b"Raw profile type exif":
            return exif_orientation(bytes.fromhex(b"".join(value.split()[2:]).decode("ascii")))
    except (zlib.error, ValueError, IndexError):
        pass
    return 1


_JPEG_CODINGS = {
    0xC0: "baseline",
    0xC1: "extended",
    0xC2: "progressive",
    0xC3: "lossless",
    0xC9: "arithmetic",
    0xCA: "arithmetic",
    0xCB: "lossless",
}


def _jpeg(content: bytes) -> PictureHeader:
    place, header, orientation, adobe = 2, None, 1, False
    while True:
        if content[place] != 0xFF:
            place += 1  # viewers pass over what some cameras leave between segments
            continue
        marker = content[place + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD7:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in (0xD9, 0xDA):  # the end, or the first scan
            break
        (length,) = struct.unpack_from(">H", content, place + 2)
        data = content[place + 4 : place + 2 + length]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width, channels = struct.unpack_from(">BHHB", data)
            colours = {1: "grey", 3: "rgb", 4: "cmyk"}.get(channels, "other")
            coding = _JPEG_CODINGS.get(marker, "hierarchical")
            header = PictureHeader("jpeg", width, height, bits, colours, coding=coding)
        elif marker == 0xEE:
            adobe |= data.startswith((b"Adobe\0d", b"Adobe\0e"))
        elif marker == 0xE1 and orientation == 1:
            if data.startswith(b"Exif\0\0"):
                orientation = exif_orientation(data)
            elif data.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
                orientation = xmp_orientation(data)
        place += 2 + length
    if header is None:
        raise UnreadableFile("it ends too early")
    if header.colours == "cmyk" and not adobe:
        header = header._replace(coding="CMYK without Adobe's mark")
    return header._replace(orientation=orientation)


def _bmp(content: bytes) -> PictureHeader:
    (size,) = struct.unpack_from("<L", content, 14)
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<llHHL", content, 18)
    coding = {0: "", 1: "run lengths", 2: "run lengths", 3: "bitfields", 6: "bitfields"}
    masked = compression in (3, 6) and size >= 56 and len(content) >= 70
    transparent = masked and struct.unpack_from("<L", content, 66)[0] != 0
    old = "an old header" if size < 40 else ""
    return PictureHeader(
        "bmp",
        width,
        abs(height),  # negative where rows go from top to bottom
        bits if bits <= 8 else 8,
        "palette" if bits <= 8 else "rgb",
        transparent,
        coding=old
        or coding.get(compression, "other")
        or ("" if bits in (1, 4, 8, 24) else f"{bits} bits"),
    )


def _gif(content: bytes) -> PictureHeader:
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    transparent, frames = False, 0
    while place < len(content):
        block = content[place]
        if block == 0x2C and place + 10 <= len(content):
            left, top, wide, high, local = struct.unpack_from("<HHHHB", content, place + 1)
            if not frames:
                transparent |= (left, top) != (0, 0) or wide < width or high < height
                width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            place += 11 + (3 << (local & 7) + 1 if local & 0x80 else 0)
        elif block == 0x21:
            if content[place + 1 : place + 3] == b"\xf9\x04" and not frames:
                transparent |= bool(content[place + 3] & 1) if place + 3 < len(content) else False
            place += 2
        else:
            break
        while place < len(content) and content[place]:
            place += 1 + content[place]
        place += 1
    return PictureHeader("gif", width, height, 8, "palette", transparent, frames=max(frames, 1))


def _pnm(content: bytes) -> PictureHeader:
    number = int(content[1:2])
    tokens = _pnm_numbers(content)
    width, height = next(tokens), next(tokens)
    most = 1 if number in (1, 4) else next(tokens)
    if not 0 < most < 65_536:
        raise UnreadableFile("its header is damaged")
    colours = "rgb" if number in (3, 6) else "grey"
    return PictureHeader("pnm", width, height, most.bit_length(), colours)


def _pnm_numbers(content: bytes) -> Iterator[int]:
    """The numbers of the header; a comment goes from # to the end of its line."""
    start = content[2 : 1 << 16]
    place = 0
    while place < len(start):
        if start[place : place + 1] == b"#":
            ends = [end for mark in (b"\n", b"\r") if (end := start.find(mark, place)) >= 0]
            place = min(ends, default=len(start))
        elif start[place : place + 1].isspace():
            place += 1
        else:
            word = start[place : place + 12].split()[0].partition(b"#")[0]
            if not word.isdigit() or len(word) > 10:
                raise UnreadableFile("its header is damaged")
            yield int(word)
            place += len(word)
    raise UnreadableFile("it ends too early")


def _webp(content: bytes) -> PictureHeader:
    place, size, header = 12, len(content), None
    transparent, orientation, frames = False, 1, 0
    while place + 8 <= size:
        name, length = struct.unpack_from("<4sL", content, place)
        data = content[place + 8 : place + 8 + length]
        if name == b"VP8X":
            transparent = bool(data[0] & 0x10)
            wide, high = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (4, 7))
            header = PictureHeader("webp", wide, high, 8, "rgb")
        elif name == b"VP8 " and header is None:
            wide, high = struct.unpack_from("<HH", data, 6)
            header = PictureHeader("webp", wide & 0x3FFF, high & 0x3FFF, 8, "rgb")
        elif name == b"VP8L" and header is None:
            bits = int.from_bytes(data[1:5], "little")
            wide, high, transparent = bits & 0x3FFF, bits >> 14 & 0x3FFF, bool(bits >> 28 & 1)
            header = PictureHeader("webp", wide + 1, high + 1, 8, "rgb")
        elif name == b"EXIF" and orientation == 1:
            orientation = exif_orientation(data)
        elif name == b"XMP " and orientation == 1:
            orientation = xmp_orientation(data)
        frames += name == b"ANMF"
        place += 8 + length + length % 2
    if header is None:
        raise UnreadableFile("it ends too early")
    return header._replace(transparent=transparent, orientation=orientation, frames=max(frames, 1))


def _tiff(content: bytes) -> PictureHeader:
    tags = tiff_tags.read_tags(content)
    samples = tags.get(tiff_tags.SAMPLES, 1)
    photometric = tags.get(tiff_tags.PHOTOMETRIC, 1)
    colours = {0: "grey", 1: "grey", 2: "rgb", 3: "palette", 5: "cmyk", 6: "rgb"}
    real = tags.get(tiff_tags.SAMPLE_FORMAT, 1) != 1
    return PictureHeader(
        "tiff",
        tags.get(tiff_tags.WIDTH, 0),
        tags.get(tiff_tags.HEIGHT, 0),
        tags.get(tiff_tags.BITS, 1),
        colours.get(photometric, "other"),
        tiff_tags.EXTRA_SAMPLES in tags.values and samples in (2, 4, 5),
        exif_orientation(content),
        tags.pages,
        "signed or real numbers" if real else "white is 0" if photometric == 0 else "",
    )


READERS: dict[str, Callable[[bytes], PictureHeader]] = {
    "png": _png,
    "jpeg": _jpeg,
    "bmp": _bmp,
    "gif": _gif,
    "pnm": _pnm,
    "webp": _webp,
    "tiff": _tiff,
}
"""Kind -> the reader of its header; raises `struct.error` or `IndexError` where it is cut."""
