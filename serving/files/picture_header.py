"""What a picture is, from its first bytes: kind, size, depth, colours, alpha, orientation."""

import struct
from pathlib import Path

from serving.files.picture_formats import READERS, PictureHeader
from serving.files.unreadable import UnreadableFile, reason_of

KINDS = "png, jpg, bmp, gif, pgm, ppm, pbm, webp and tiff"
"""The pictures that are read, as a list in a sentence."""
_ENDINGS = "png jpg jpeg jpe jfif bmp gif pbm pgm ppm pnm webp tif tiff"
SUFFIXES = frozenset(f".{ending}" for ending in _ENDINGS.split())
"""Endings of their names, in lower case."""
MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded: 50 megapixels fill 150 MB."""
_START = 1 << 16
"""Bytes that nearly always hold the header; cameras may put pictures of their own before it."""


def read_header(content: bytes) -> PictureHeader:
    """The header of a picture, from its file or its first bytes.

    What lies beyond is taken to be ordinary: a png may tell its orientation after its pixels, and
    a gif or tiff has frames further on.

    Raises:
      UnreadableFile: it is no picture, one of an unknown kind, cut within its header, or empty.
    """
    try:
        header = READERS[_kind_of(content)](content)
    except (struct.error, IndexError):
        raise UnreadableFile("it ends too early") from None
    if header.width < 1 or header.height < 1:
        raise UnreadableFile(f"it has {header.width} x {header.height} pixels")
    return header


_STARTS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"BM": "bmp",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
}
_OTHERS = {
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a zip file",
    b"\x1f\x8b": "a gzip file",
    b"8BPS": "a Photoshop file",
    b"\0\0\1\0": "an icon (ico)",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"version https://git-lfs": "a Git LFS pointer (`git lfs pull` gets the file)",
    b"II+\0": "a BigTIFF file",
    b"MM\0+": "a BigTIFF file",
}


def _kind_of(content: bytes) -> str:
    if not content:
        raise UnreadableFile("it is empty (0 bytes)")
    for start, kind in _STARTS.items():
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content[:1] == b"P" and content[1:2] in b"123456" and content[2:3] in b" \t\r\n#":
        return "pnm"
    other = next((name for start, name in _OTHERS.items() if content.startswith(start)), "")
    text = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if content[4:8] == b"ftyp":
        avif = content[8:11] == b"avi"
        other = f"{'an AVIF' if avif else 'a HEIC'} picture or a video (save it as jpg or png)"
    elif text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        other = "a web page (HTML)"
    elif text.startswith(b"<"):
        other = "an SVG drawing" if b"<svg" in text else "an XML or HTML file"
    what = f"it is {other}, not" if other else "it is not"
    raise UnreadableFile(f"{what} a {KINDS.replace(' and ', ' or ')} file")


def read_file_header(path: Path) -> PictureHeader:
    """The header of a file, of which only the beginning is read where that is enough.

    Raises:
      UnreadableFile: as `read_header`; or the file cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(_START)
            try:
                return read_header(start)
            except UnreadableFile:
                if len(start) < _START:
                    raise
            return read_header(start + file.read())
    except (OSError, ValueError) as error:
        raise UnreadableFile(reason_of(error)) from None


def check_pixels(header: PictureHeader, max_pixels: int = MAX_PIXELS) -> None:
    """Refuses (`UnreadableFile`) a picture that is too large to decode."""
    if header.width * header.height > max_pixels:
        raise UnreadableFile(
            f"it has {header.width} x {header.height} pixels, which is more than {max_pixels:,}"
        )


def graph_can_read(header: PictureHeader) -> str | None:
    """None if an exported graph (components/modalities/picture_files.py) sees what a viewer shows.

    Else half a sentence that says why it does not: "it is a transparent gif file".
    """
    kind, bits = header.kind, header.bits
    if kind not in ("png", "jpeg", "bmp", "gif"):
        return f"it is a {kind} file"
    if kind == "jpeg" and (header.coding not in ("baseline", "progressive") or bits != 8):
        return f"it is a jpg file of the {header.coding} kind, of {bits} bits"
    if kind == "jpeg" and header.colours == "other":
        return "its colours are of an unknown kind"
    if kind == "png" and header.coding:
        return f"it is a png file with {header.coding}"
    if kind == "png" and header.transparent and bits != 8 and header.colours != "palette":
        return f"it is a transparent png file of {bits} bits a channel"
    if kind == "bmp" and (header.colours != "rgb" or header.coding):
        return f"it is a bmp file with {header.coding or 'a palette'}"
    if kind == "gif" and header.transparent:
        return "it is a transparent gif file"
    return None
