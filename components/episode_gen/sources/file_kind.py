"""What a folder source needs to know of the files that it reads."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.modalities.base import ExampleSpec


class UnreadableFile(Exception):
    """The reason as half a sentence: "it is not a png, jpg, bmp or gif file"."""


class FileKind(NamedTuple):
    """How files of one kind are recognised and read.

    Attributes:
      plural: name of such files in messages: "images", "wav files".
      suffixes: suffixes of the names, in lower case.
      spec: specification of an example.
      check: function of a file that reads only its beginning; raises `UnreadableFile`.
      read: function of a file that returns the example, of the shape and dtype of `spec`; raises
        `UnreadableFile`.
    """

    plural: str
    suffixes: frozenset[str]
    spec: ExampleSpec
    check: Callable[[Path], None]
    read: Callable[[Path], np.ndarray]
