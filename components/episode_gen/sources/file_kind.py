"""What a folder source needs to know of the files that it reads."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.modalities.base import ExampleSpec


class FileKind(NamedTuple):
    """A kind of files and how they become examples."""

    plural: str  # "images" or "recordings", for sentences
    suffixes: frozenset[str]  # endings of their names, in lower case
    spec: ExampleSpec  # form of an example
    check: Callable[[Path], None]  # looks at the header alone; raises `UnreadableFile`
    # Reads a whole example, of the shape and dtype of `spec`; raises `UnreadableFile`.
    read: Callable[[Path], np.ndarray]
