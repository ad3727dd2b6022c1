"""The interface of a source of class data, and of a kind of files that one reads."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from components.modalities.base import ExampleSpec


class CatalogueEntry(NamedTuple):
    """One example, without its content."""

    class_name: str  # unique over all groups
    group: str | None  # the alphabet, speaker or domain of the class, or None
    example_id: str  # unique, and the same every time the same data are read


class Stored(NamedTuple):
    """The content of one example, as `ExampleSpec.to_bytes` stores it."""

    example_id: str  # as in the catalogue
    # The bytes; of a regression example the input and then the target (`targets.join`).
    content: bytes


class Source(Protocol):
    """Class data that can be listed quickly and read in independent parts.

    `catalogue` decodes nothing, so that a configuration is checked within seconds; it and `read`
    raise UserError, which names the file or row that cannot be used. A worker opens the source anew
    from the options, so a source need not be picklable.
    """

    spec: ExampleSpec  # shape, dtype and preparation of one example

    def catalogue(self) -> Iterable[CatalogueEntry]:
        """Lists every example once, in any order."""

    def parts(self) -> list[str]:
        """Names the parts, which together hold every example once."""

    def read(self, part: str) -> Iterator[Stored]:
        """Reads the examples of one part."""

    def fingerprint(self) -> str:
        """A text that changes when the data do, so that no cached result outlives them."""


class FileKind(NamedTuple):
    """A kind of files and how they become examples."""

    plural: str  # "images" or "recordings", for sentences
    suffixes: frozenset[str]  # endings of their names, in lower case
    spec: ExampleSpec  # form of an example
    check: Callable[[Path], None]  # looks at the header alone; raises `UnreadableFile`
    # Reads a whole example, of the shape and dtype of `spec`; raises `UnreadableFile`.
    read: Callable[[Path], np.ndarray]
