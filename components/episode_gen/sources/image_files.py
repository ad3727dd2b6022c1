"""One image file of a user: decoded as the served model decodes it, or the reason why not."""

from pathlib import Path
from typing import Any

import numpy as np

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.file_kind import FileKind, UnreadableFile
from components.modalities.base import ExampleSpec
from serving.files import pictures, unreadable

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif"})
_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF8")


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

    try:
        return tf.constant(pictures.decode(path.read_bytes()))
    except OSError as error:
        raise UnreadableImage(error.strerror or str(error)) from None
    except unreadable.UnreadableFile as reason:
        raise UnreadableImage(str(reason)) from None
