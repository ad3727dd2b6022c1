"""What a folder source needs to know of the files that it reads."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.modalities.base import ExampleSpec


class UnreadableFile(Exception):
    """The reason as half a sentence: "it is not a png, jpg, bmp or gif file"."""


class FileKind(NamedTuple):
    """Attributes:
    plural: "images", "wav files".
    suffixes: of the names, in lower case.
    spec: what an example becomes.
    check: looks at the beginning only; raises `UnreadableFile`.
    read: the whole example, of the shape and dtype of `spec`; raises `UnreadableFile`.
    """

    plural: str
    suffixes: frozenset[str]
    spec: ExampleSpec
    check: Callable[[Path], None]
    read: Callable[[Path], np.ndarray]
