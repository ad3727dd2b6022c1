"""A source of synthetic class data of any size: each example is made when it is read."""

import hashlib
from collections.abc import Iterator

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Stored
from components.modalities.base import ExampleSpec

SPEC = ExampleSpec("image", "uint8", (28, 28, 1))
PARTS = 64


class Synthetic:
    """A source of `classes` x `per_class` drawings of 28 x 28 pixels."""

    spec = SPEC

    def __init__(self, classes: int, per_class: int):
        self._classes, self._per_class = classes, per_class

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Lists all examples."""
        for number in range(self._classes):
            for which in range(self._per_class):
                yield CatalogueEntry(f"class {number:07}", None, f"{number:07}/{which:03}")

    def parts(self) -> list[str]:
        """Names the parts that workers read."""
        return [str(part) for part in range(PARTS)]

    def read(self, part: str) -> Iterator[Stored]:
        """Makes the examples of one part."""
        for number in range(int(part), self._classes, PARTS):
            for which in range(self._per_class):
                name = f"{number:07}/{which:03}"
                yield Stored(name, (hashlib.blake2b(name.encode()).digest() * 13)[:784])

    def fingerprint(self) -> str:
        """Identifies the data."""
        return f"{self._classes} {self._per_class}"


def open_source(data: DataOptions) -> Synthetic:
    """Opens the source; `data.path` is "CLASSESxPER_CLASS"."""
    classes, per_class = (data.path or "").split("x")
    return Synthetic(int(classes), int(per_class))
