"""What a look at a user's own files finds."""

from typing import Any, NamedTuple


class Inspection(NamedTuple):
    """Attributes:
    kind: what the path was taken for, as "a folder of images".
    data: the section `data` of a configuration that reads it.
    class_sizes: readable examples of each class.
    facts: what there is to tell of the files: name -> value.
    unreadable: file -> reason.
    duplicates: files of equal content that lie in different classes, each a group of names.
    """

    kind: str
    data: dict[str, Any]
    class_sizes: dict[str, int]
    facts: dict[str, str]
    unreadable: dict[str, str]
    duplicates: list[list[str]]

    def too_small(self, shots: int, queries: int) -> list[str]:
        """The classes that have fewer than K + Q examples."""
        return [name for name, size in self.class_sizes.items() if size < shots + queries]


def spread(values: list[int]) -> str:
    """ "4 to 20, median 12", or the one value that all have."""
    ordered = sorted(values)
    low, median, high = ordered[0], ordered[len(ordered) // 2], ordered[-1]
    return str(low) if low == high else f"{low} to {high}, median {median}"
