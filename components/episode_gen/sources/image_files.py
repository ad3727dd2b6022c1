"""One image file of a user: decoded as the served model decodes it, or the reason why not."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.file_kind import FileKind, UnreadableFile
from components.modalities.base import ExampleSpec

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif"})
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF8")

_ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND"}
"""How jpg and png files begin, and what is somewhere in every whole one."""


class UnreadableImage(UnreadableFile):
    """An image that cannot be decoded."""


def image_files(data: DataOptions) -> FileKind:
    """Images of any size, resized to `data.image_size`."""
    size, channels = data.image_size, data.image_channels

    def read(path: Path) -> np.ndarray:
        from components.modalities.image import standardise

        return standardise(decode(path), size=size, channels=channels).numpy()

    spec = ExampleSpec("image", "uint8", (size, size, channels), invert=data.invert)
    return FileKind("images", SUFFIXES, spec, check_start, read)


def check_start(path: Path) -> None:
    """Looks at the first bytes only.

    Raises:
      UnreadableImage: the file cannot be opened, or begins as no image does.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UnreadableImage(error.strerror or str(error)) from None
    if not start.startswith(_STARTS):
        raise UnreadableImage("it is not a png, jpg, bmp or gif file")


def decode(path: Path) -> Any:
    """The whole image: a `[h, w, 3]` uint8 tensor.

    Raises:
      UnreadableImage: it cannot be decoded.
    """
    import tensorflow as tf

    from components.modalities.image import decode_file

    check_start(path)
    content = path.read_bytes()
    start, end = next((pair for pair in _ENDS.items() if content.startswith(pair[0])), (b"", b""))
    # The decoders find it too, but say it to the terminal, in words of their own.
    if end not in content[len(start) :]:
        raise UnreadableImage("it ends too early")
    try:
        image = decode_file(tf.constant(content))
    except tf.errors.OpError as error:
        raise UnreadableImage(_reason(error.message)) from None
    if 0 in image.shape:
        raise UnreadableImage("it is empty")
    return image


def _reason(message: str) -> str:
    """TensorFlow's first line, without the names of its operations around it."""
    return re.sub(r"\{\{.*?\}\} *| *\[Op:.*", "", message.splitlines()[0])
