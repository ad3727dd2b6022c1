"""Lists of example ids in files that are mapped into memory, once for all processes."""

import mmap
import os
from collections.abc import Iterator, Sequence

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
        self._text, self._starts, self._firsts = text, starts, firsts
        self.sizes: list[int] = np.diff(firsts).tolist()

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        """The ids of a class, or those of a slice of classes as another `IdLists`."""
        if isinstance(number, slice):
            start, stop, _ = number.indices(len(self))
            return IdLists(self._text, self._starts, self._firsts[start : stop + 1])
        number = range(len(self))[number]
        return _Ids(self, self._firsts[number].item(), self.sizes[number])

    def _id(self, place: int) -> str:
        start, stop = self._starts[place : place + 2].tolist()
        return self._text[start:stop].decode("utf-8", _ERRORS)


class _Ids(Sequence[str]):
    """The ids of one class."""

    def __init__(self, lists: IdLists, first: int, size: int) -> None:
        self._lists, self._places = lists, range(first, first + size)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, ordinal):  # type: ignore[no-untyped-def]
        if isinstance(ordinal, slice):
            return [self._lists._id(place) for place in self._places[ordinal]]
        return self._lists._id(self._places[ordinal])

    def __iter__(self) -> Iterator[str]:
        return map(self._lists._id, self._places)


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
    return IdLists(mapped, np.load(id_starts, mmap_mode="r"), np.load(class_starts))
