"""The catalogue: which examples each class has. Episodes are drawn from it."""

import dataclasses
import itertools
import json
from collections import defaultdict
from collections.abc import Iterable

from components.episode_gen.sources.base import CatalogueEntry
from serving.errors import UserError


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """The classes and their examples, sorted by name, whatever order they were read in."""

    examples: dict[str, list[str]]  # the sorted example ids of each class, classes sorted by name
    groups: dict[str, str]  # the group of each class that has exactly one

    def size(self) -> int:
        """The number of examples."""
        return sum(map(len, self.examples.values()))

    def to_json(self) -> str:
        """The catalogue as text."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Catalogue":
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


def build_catalogue(entries: Iterable[CatalogueEntry], *, by_group: bool) -> Catalogue:
    """Sorts the examples into classes.

    A class name that occurs in several groups (the digit seven, said by five speakers) is one
    class when the splits are by class, and one for each group, called "group/class", when they are
    by group.

    Raises:
      UserError: an example id occurs twice.
    """
    examples_of: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    groups_of: dict[str, set[str | None]] = defaultdict(set)
    for entry in entries:
        examples_of[entry.class_name, entry.group].append(entry.example_id)
        groups_of[entry.class_name].add(entry.group)

    examples: dict[str, list[str]] = defaultdict(list)
    groups: dict[str, str] = {}
    for (class_name, group), ids in examples_of.items():
        shared = len(groups_of[class_name]) > 1
        name = f"{group}/{class_name}" if by_group and shared else class_name
        examples[name] += ids
        if group is not None and (by_group or not shared):
            groups[name] = group
    for name, ids in examples.items():
        ids.sort()
        if len(set(ids)) < len(ids):
            twice = next(a for a, b in itertools.pairwise(ids) if a == b)
            raise UserError(f"the data must name each example once: {name!r} has {twice!r} twice.")
    return Catalogue(dict(sorted(examples.items())), dict(sorted(groups.items())))
