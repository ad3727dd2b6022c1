"""Lists of example ids in files that are mapped into memory, once for all processes."""

import mmap
import os
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

FILES = ("ids.txt", "id_starts.npy", "class_starts.npy")
_ERRORS = "surrogatepass"  # names of files may be no text


class IdLists(Sequence[Sequence[str]]):
    """The ids of each class, for classes in a fixed order.

    Attributes:
      sizes: number of ids of each class.
    """

    def __init__(self, text: bytes | mmap.mmap, starts: np.ndarray, firsts: np.ndarray) -> None:
        """Takes the lists apart, without copying them.

        Args:
          text: all ids one after the other, in UTF-8.
          starts: int64, where each id begins in `text`, and where the last one ends.
          firsts: int64, number of each class's first id, and after the last class that of all ids.
        """
        self._text, self._starts = text, starts
        self._firsts: list[int] = firsts.tolist()
        self.sizes: list[int] = np.diff(firsts).tolist()

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        """The ids of a class, or those of a slice of classes as another `IdLists`."""
        if isinstance(number, slice):
            start, stop, _ = number.indices(len(self))
            return IdLists(self._text, self._starts, np.array(self._firsts[start : stop + 1]))
        number = range(len(self))[number]
        first = self._firsts[number]
        return self._ids(range(first, first + self.sizes[number]))

    def of(self, pairs: Iterable[tuple[int, int]]) -> list[str]:
        """The ids at these (number of the class, ordinal in it)."""
        return self._ids([self._firsts[number] + ordinal for number, ordinal in pairs])

    def _ids(self, places: Sequence[int]) -> list[str]:
        at = np.fromiter(places, np.int64, len(places))
        bounds = zip(self._starts[at].tolist(), self._starts[at + 1].tolist())
        return [self._text[start:stop].decode("utf-8", _ERRORS) for start, stop in bounds]


def write_id_lists(folder: str, classes: Sequence[Sequence[str]]) -> None:
    """Writes the ids of each class into files of a folder, for `open_id_lists`."""
    firsts = np.cumsum([0, *map(len, classes)], dtype=np.int64)
    starts = np.zeros(firsts[-1] + 1, np.int64)
    place = position = 0
    text, id_starts, class_starts = (f"{folder}/{name}" for name in FILES)
    with tf.io.gfile.GFile(text, "wb") as file:
        for ids in classes:
            for one in ids:
                encoded = one.encode("utf-8", _ERRORS)
                file.write(encoded)
                place, position = place + 1, position + len(encoded)
                starts[place] = position
    for path, array in ((id_starts, starts), (class_starts, firsts)):
        with tf.io.gfile.GFile(path, "wb") as file:
            np.save(file, array)


def open_id_lists(folder: str) -> IdLists:
    """The lists in a folder of this machine."""
    text, id_starts, class_starts = (os.path.join(folder, name) for name in FILES)
    with open(text, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    starts = np.load(id_starts, mmap_mode="r").view(np.ndarray)  # a memmap is slow to index
    return IdLists(mapped, starts, np.load(class_starts))
