"""One image file of a user: decoded as the served model decodes it, or the reason why not."""

from pathlib import Path

import numpy as np

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import FileKind
from components.modalities.base import ExampleSpec
from serving.files import pictures
from serving.files.picture_header import SUFFIXES, check_pixels, read_file_header
from serving.files.unreadable import read_content


def image_files(data: DataOptions) -> FileKind:
    """Images of any size, resized to `data.image_size`."""

    def read(path: Path) -> np.ndarray:
        return decode_image(read_content(path), data)

    def check(path: Path) -> None:
        check_pixels(read_file_header(path), data.max_pixels)

    return FileKind("images", SUFFIXES, image_spec(data), check, read)


def decode_image(content: bytes, data: DataOptions) -> np.ndarray:
    """A file's image, resized to `data.image_size`.

    Raises:
      UnreadableFile: it is none, too large or damaged.
    """
    import tensorflow as tf

    from components.modalities.image import standardise

    picture = tf.constant(pictures.decode(content, data.max_pixels))
    return standardise(picture, size=data.image_size, channels=data.image_channels).numpy()


def image_spec(data: DataOptions) -> ExampleSpec:
    """Images of `data.image_size` and `data.image_channels`, as they are stored."""
    shape = (data.image_size, data.image_size, data.image_channels)
    return ExampleSpec("image", "uint8", shape, invert=data.invert, max_pixels=data.max_pixels)
