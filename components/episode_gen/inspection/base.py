"""What a look at a user's own files finds."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from serving.files.folders import SplitLike


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What a look at a user's own files finds."""

    kind: str  # what the path was taken for, as "a folder of images"
    modality: str  # "image", "text" or "audio"
    data: dict[str, Any]  # the section `data` of a configuration that reads it
    class_sizes: dict[str, int]  # readable and different examples of each class
    facts: dict[str, str]  # what there is to tell of the files: name -> value
    unreadable: dict[str, str]  # file or row -> reason
    # Equal examples that lie in different classes, each a group of names.
    duplicates: list[list[str]]
    # Files that nobody would take for an example: name -> reason.
    ignored: Mapping[str, str] = dataclasses.field(default_factory=dict)
    # Examples that equal another: name -> the first of them.
    copies: Mapping[str, str] = dataclasses.field(default_factory=dict)
    # Signs that folders are splits of one set of classes, if there are any.
    split_like: SplitLike | None = None

    def too_small(self, shots: int, queries: int) -> list[str]:
        """The classes that have fewer than K + Q examples."""
        return [name for name, size in self.class_sizes.items() if size < shots + queries]


def without_copies(
    names: Iterable[str], copies: Mapping[str, str], class_of: Callable[[str], str]
) -> list[str]:
    """The names without those that by `copies` (name -> the first) equal one of the same class."""
    first: dict[tuple[str, str], str] = {}
    for name in names:
        first.setdefault((class_of(name), copies.get(name, name)), name)
    return list(first.values())


def spread(values: Iterable[float]) -> str:
    """As "4 to 20, median 12", or the one value that all have; "none" of nothing."""
    ordered = sorted(values)
    if not ordered:
        return "none"
    low, median, high = ordered[0], ordered[len(ordered) // 2], ordered[-1]
    return f"{low:g}" if low == high else f"{low:g} to {high:g}, median {median:g}"


def counted(values: Iterable[Any]) -> str:
    """As "40 png, 2 jpg": how often there is which, the most frequent first."""
    return ", ".join(f"{count} {value}" for value, count in Counter(values).most_common())


def duplicates(contents: Mapping[str, Any], classes: Mapping[str, str]) -> list[list[str]]:
    """The names of equal content (or a digest of it) that are of different classes."""
    by_content: dict[Any, list[str]] = defaultdict(list)
    for name, content in contents.items():
        by_content[content].append(name)
    return [names for names in by_content.values() if len({classes[name] for name in names}) > 1]
