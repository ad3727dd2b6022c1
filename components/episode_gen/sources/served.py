"""The support sets that a server logged (`fewshot serve --log-requests`) as class data.

A class is what one name was given to, over all requests; where labels are numbers, the classes of
each support set are classes of their own. Support sets that share an example are one group.
"""

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from components.episode_gen.copies import find_copies
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Source, Stored
from components.episode_gen.sources.served_examples import Examples
from components.episode_gen.sources.served_log import ServedLog
from components.episode_gen.sources.served_overlap import find_groups, find_parts
from components.episode_gen.sources.served_sets import set_key
from components.modalities.base import ExampleSpec
from serving.errors import UserError
from serving.files.unreadable import UnreadableFile


def open_source(data: DataOptions) -> Source:
    """Opens the log in the folder `data.path`, or a file of one.

    Raises:
      UserError: it is not there, or holds no file of a log.
    """
    return Served(ServedLog(Path(data.path or "").expanduser(), data), data)


class _Listed(NamedTuple):
    """A support set, without the content of its examples."""

    key: str
    file: str
    record: int  # number in its file
    episode: int  # number in its request
    classes: list[str]  # name of the class of each example
    named: bool  # whether the names are the client's
    digests: list[bytes]
    problems: dict[int, str]  # why an example cannot be used, by its place

    def id_of(self, place: int) -> str:
        """The id of an example."""
        return f"{self.key}[{place}]"


class Served:
    """A log of requests; an example's id is its support set's key and its place in it."""

    def __init__(self, log: ServedLog, data: DataOptions) -> None:
        self.log, self.data, self._examples = log, data, Examples(data)
        self._skips = data.unreadable == "skip"
        self.spec: ExampleSpec = next(
            self._examples.spec_of(example, str(found))
            for found in log.all()
            for example in found.content.examples
        )

    @functools.cached_property
    def listed(self) -> list[_Listed]:
        """Every support set once."""
        by_key: dict[str, _Listed] = {}
        for found in self.log.all():
            examples, labels, named = found.content
            digests = found.content.digests
            key = set_key(found.content, digests)
            if key in by_key or not examples:
                continue
            problems = {}
            for place, example in enumerate(examples):
                self._examples.spec_of(example, str(found))
                if reason := self._examples.problem(example, self.spec):
                    problems[place] = reason
            classes = labels if named else [f"{key}/{label}" for label in labels]
            by_key[key] = _Listed(
                key, found.file, found.record, found.episode, classes, named, digests, problems
            )
        return list(by_key.values())

    @functools.cached_property
    def skipped(self) -> dict[str, str]:
        """What `data.unreadable: skip` leaves out, and why: example id or file -> reason."""
        if not self._skips:
            return {}
        examples = {
            one.id_of(place): reason
            for one in self.listed
            for place, reason in one.problems.items()
        }
        return self.log.damaged | examples

    @functools.cached_property
    def ignored(self) -> dict[str, str]:
        """Requests without a support set, and classes that are a part of another one."""
        parts = {
            name: f"all its examples are in {other}, as support sets grow"
            for name, other in self._parts_of_others.items()
        }
        return {
            f"{count} requests to {signature}": reason
            for (signature, reason), count in self.log.without.items()
        } | parts

    @functools.cached_property
    def copies(self) -> dict[str, str]:
        """Examples that equal an earlier one: example id -> id of that one."""
        if self.data.copies == "keep":
            return {}
        digests = {
            one.id_of(place): digest
            for one in self.listed
            for place, digest in enumerate(one.digests)
            if one.classes[place] not in self._parts_of_others
        }
        return find_copies(digests, digests.__getitem__, digests.__getitem__)

    def catalogue(self) -> Iterator[CatalogueEntry]:
        groups = find_groups({one.key: one.digests for one in self.listed})
        for one in self.listed:
            for place, name in enumerate(one.classes):
                if place in one.problems:
                    if not self._skips:
                        raise self._unusable(one.file, one.record, one.problems[place])
                elif name not in self._parts_of_others:
                    yield CatalogueEntry(name, groups[one.key], one.id_of(place))

    def parts(self) -> list[str]:
        """A file each, with the places and keys of its support sets."""
        by_file: dict[str, list[Any]] = defaultdict(list)
        for one in self.listed:
            by_file[one.file].append((one.record, one.episode, one.key))
        return [json.dumps([name, sets]) for name, sets in by_file.items()]

    def read(self, part: str) -> Iterator[Stored]:
        file, sets = json.loads(part)
        keys = {(record, episode): key for record, episode, key in sets}
        for found in self.log.of_file(file):
            key = keys.get((found.record, found.episode))
            for place, example in enumerate(found.content.examples if key else []):
                try:
                    yield Stored(f"{key}[{place}]", self._examples.content(example, self.spec))
                except UnreadableFile as reason:
                    if not self._skips:
                        raise self._unusable(file, found.record, str(reason)) from None

    def fingerprint(self) -> str:
        content = [(one.key, one.classes) for one in self.listed]
        return hashlib.sha256(repr(content).encode()).hexdigest()

    @functools.cached_property
    def _parts_of_others(self) -> dict[str, str]:
        classes: dict[str, set[bytes]] = defaultdict(set)
        for one in self.listed:
            for name, digest in zip([] if one.named else one.classes, one.digests):
                classes[name].add(digest)
        return find_parts(classes)

    def _unusable(self, file: str, record: int, reason: str) -> UserError:
        return UserError(
            f"`data.path` must hold support sets that can be read: an example of record {record} "
            f"of {file} cannot ({reason}). Set `data.unreadable` to skip to leave such examples "
            "out."
        )
