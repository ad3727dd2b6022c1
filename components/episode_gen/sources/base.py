"""The interface of a source of class data."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

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
