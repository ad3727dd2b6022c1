"""What a folder source needs to know of the files that it reads."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.modalities.base import ExampleSpec


class FileKind(NamedTuple):
    """A kind of files and how they become examples.

    Attributes:
      plural: "images" or "recordings", for sentences.
      suffixes: endings of their names, in lower case.
      spec: form of an example.
      check: looks at the header alone; raises `UnreadableFile`.
      read: reads a whole example, of the shape and dtype of `spec`; raises `UnreadableFile`.
    """

    plural: str
    suffixes: frozenset[str]
    spec: ExampleSpec
    check: Callable[[Path], None]
    read: Callable[[Path], np.ndarray]
