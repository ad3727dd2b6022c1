"""What a look at a user's own files finds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Inspection(NamedTuple):
    """The classes and files at a path.

    Attributes:
      kind: kind of data recognised, as "a folder of images".
      modality: "image", "text" or "audio".
      data: section `data` of a configuration that reads the path.
      class_sizes: number of readable examples of each class.
      facts: properties of the files: name -> value.
      unreadable: file or row -> reason.
      duplicates: groups of names whose examples are equal but belong to different classes.
    """

    kind: str
    modality: str
    data: dict[str, Any]
    class_sizes: dict[str, int]
    facts: dict[str, str]
    unreadable: dict[str, str]
    duplicates: list[list[str]]

    def too_small(self, shots: int, queries: int) -> list[str]:
        """Returns the classes that have fewer than K + Q examples."""
        return [name for name, size in self.class_sizes.items() if size < shots + queries]


def spread(values: Iterable[float]) -> str:
    """Describes a range: "4 to 20, median 12"; one number if all are equal; "none" if empty."""
    ordered = sorted(values)
    if not ordered:
        return "none"
    low, median, high = ordered[0], ordered[len(ordered) // 2], ordered[-1]
    return f"{low:g}" if low == high else f"{low:g} to {high:g}, median {median:g}"


def counted(values: Iterable[Any]) -> str:
    """Counts each value, the most frequent first: "40 png, 2 jpg"."""
    return ", ".join(f"{count} {value}" for value, count in Counter(values).most_common())


def duplicates(contents: Mapping[str, Any], classes: Mapping[str, str]) -> list[list[str]]:
    """The names of equal content that are of different classes.

    Args:
      contents: name -> content, or a digest of it.
      classes: name -> class.
    """
    by_content: dict[Any, list[str]] = defaultdict(list)
    for name, content in contents.items():
        by_content[content].append(name)
    return [names for names in by_content.values() if len({classes[name] for name in names}) > 1]
