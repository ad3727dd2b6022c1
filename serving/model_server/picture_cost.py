"""The memory and the work of the pictures in a request, by their headers.

A graph refuses a single picture that is too large. Many that are each within its limit are many
times its memory, as it decodes four at a time, and minutes of its time.
"""

from collections.abc import Iterable

import numpy as np

from serving.files.picture_header import MAX_PIXELS, PictureHeader, read_header
from serving.files.unreadable import UnreadableFile
from serving.model_server.request_memory import TooLarge

_AT_ONCE = 4  # components/modalities/image.py
# Bytes of a pixel while it is decoded and resized: measured on 49 megapixels, where a png with
# transparency took 22 and other files 3.
_PLAIN, _TRANSPARENT = 4, 24
_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
_READ = 2**20  # bytes of a file that are looked at
_SMALL_FILE = 50  # bytes; no picture is shorter


def picture_bytes(arrays: Iterable[np.ndarray], max_pixels: int) -> int:
    """The memory that decoding takes; TooLarge if there are more than `max_pixels` in all."""
    sizes, pixels = [], 0
    for array in arrays:
        for content in array.ravel() if array.dtype == object else ():
            if len(content) < _SMALL_FILE or not content.startswith(_STARTS):
                continue
            header = _read(content)
            if header is not None:
                each = header.width * header.height
                if header.kind == "gif":  # the decoder keeps all frames
                    each *= header.frames if len(content) <= _READ else MAX_PIXELS
                    each = min(each, MAX_PIXELS)
                pixels += each
                sizes.append(each * (_TRANSPARENT if header.transparent else _PLAIN))
    if pixels > max_pixels:
        raise TooLarge(
            f"The pictures of a request may have {max_pixels:,} pixels in all; {len(sizes)} with "
            f"{pixels:,} came: send smaller pictures or fewer, or start the server with a larger "
            "--max-request-pixels"
        )
    return sum(sorted(sizes)[-_AT_ONCE:])


def _read(content: bytes) -> PictureHeader | None:
    try:
        return read_header(content[:_READ])
    except (UnreadableFile, ValueError):
        return None  # the graph says why
