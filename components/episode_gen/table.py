"""The files that workers share: the catalogue of each split and, for small data, all examples.

A worker opens the folder that the executor wrote and reads examples from a file, which the
operating system keeps in memory as far as there is room, once for all processes of a machine.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from pydantic import TypeAdapter

from components.episode_gen.catalogue import Catalogue
from components.episode_gen.id_lists import FILES, IdLists, open_id_lists, write_id_lists
from components.episode_gen.options import EpisodeOptions
from components.episode_gen.sampling import EpisodePlan, plan_episode
from components.episode_gen.sources.base import Source
from components.episodes import SPLITS
from components.modalities.base import ExampleSpec
from serving.errors import UserError

_PLANNER_FILE, _CONTENT_FILE, _STARTS_FILE = "planner.json", "content.bin", "starts.npy"
_USED_FILE = "used.json"
MAX_USED = 2_000_000
"""Up to so many uses of examples, whose ids each worker lists, unused examples are left out."""

MAX_ATTEMPTS = 1_000

_EPISODES = TypeAdapter(EpisodeOptions)


class SplitClasses(NamedTuple):
    """The classes of one split, by their number in a plan."""

    names: list[str]  # the class names, sorted
    examples: Sequence[Sequence[str]]  # the sorted example ids of each class
    # The class numbers of each group, where an episode holds classes of one group only; else empty.
    groups: list[list[int]]


class Planner:
    """Plans the episodes of a catalogue; the same on every worker that opens the same folder."""

    def __init__(
        self,
        spec: ExampleSpec,
        episodes: EpisodeOptions,
        splits: dict[str, SplitClasses],
        equal: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.spec, self.episodes, self.splits, self.equal = spec, episodes, splits, equal
        self._sizes = {split: _sizes(splits[split].examples) for split in SPLITS}

    def plan(self, split: str, index: int) -> EpisodePlan:
        """The plan of one episode; see `sampling.plan_episode`.

        Where it would hold two equal examples of different classes, another is drawn in its place.

        Raises:
          UserError: every one of `MAX_ATTEMPTS` would.
        """
        for attempt in range(MAX_ATTEMPTS):
            plan = plan_episode(
                seed=self.episodes.seed,
                split=split,
                index=index,
                shape=self.episodes.shape_of(split),
                sizes=self._sizes[split],
                rotate=self.episodes.rotates(split),
                groups=self.splits[split].groups,
                attempt=attempt,
            )
            if not self.equal or self._all_different(split, plan):
                return plan
        raise UserError(
            f"an episode must not hold equal examples in two classes: of {split}, {MAX_ATTEMPTS} "
            "draws all did. Take the copies out of the data, or set `data.copies` to keep."
        )

    def _all_different(self, split: str, plan: EpisodePlan) -> bool:
        originals = [self.equal.get(one, one) for one in self.example_ids(split, plan)]
        return len(set(originals)) == len(originals)

    def example_ids(self, split: str, plan: EpisodePlan) -> list[str]:
        """The ids of an episode's examples, support then query."""
        examples = self.splits[split].examples
        numbers = [one.number for one in plan.classes]
        places = [(numbers[slot.label], slot.ordinal) for slot in plan.support + plan.query]
        if isinstance(examples, IdLists):
            return examples.of(places)
        return [examples[number][ordinal] for number, ordinal in places]

    def used_ids(self) -> list[str] | None:
        """The ids of the examples that episodes use, sorted; None if they may be many, or most.

        Raises:
          UserError: as `plan`.
        """
        counts = {split: getattr(self.episodes.counts, split) for split in SPLITS}
        uses = 0
        for split, count in counts.items():
            ways, shots, queries = self.episodes.shape_of(split)
            uses += count * ways * (shots + queries)
        if uses > min(MAX_USED, sum(map(sum, self._sizes.values()))):
            return None
        used: set[str] = set()
        for split, count in counts.items():
            for index in range(count):
                used.update(self.example_ids(split, self.plan(split, index)))
        return sorted(used)

    def save(self, folder: str) -> None:
        """Writes the planner into a folder, for `open`."""
        splits = [self.splits[split] for split in SPLITS]
        write_id_lists(folder, [ids for split in splits for ids in split.examples])
        state = {
            "spec": self.spec.to_json(),
            "episodes": _EPISODES.dump_python(self.episodes, mode="json"),
            "splits": [(split.names, split.groups) for split in splits],
            "equal": dict(self.equal),
        }
        with tf.io.gfile.GFile(f"{folder}/{_PLANNER_FILE}", "w") as file:
            file.write(json.dumps(state))

    @classmethod
    def open(cls, folder: str) -> "Planner":
        """The inverse of `save`."""
        with tf.io.gfile.GFile(f"{folder}/{_PLANNER_FILE}") as file:
            state = json.load(file)
        ids, splits, first = open_id_lists(_local_copy(folder, FILES)), {}, 0
        for split, (names, groups) in zip(SPLITS, state["splits"]):
            splits[split] = SplitClasses(names, ids[first : first + len(names)], groups)
            first += len(names)
        return cls(
            ExampleSpec.from_json(state["spec"]),
            _EPISODES.validate_json(json.dumps(state["episodes"])),
            splits,
            state["equal"],
        )


def make_planner(
    spec: ExampleSpec,
    episodes: EpisodeOptions,
    catalogue: Catalogue,
    splits: dict[str, list[str]],
    equal: Mapping[str, str] = MappingProxyType({}),
) -> Planner:
    """The planner of a checked configuration; `equal` is its `CheckedData.across`."""

    def classes(split: str) -> SplitClasses:
        names = splits[split]
        numbers: dict[str, list[int]] = {}
        if episodes.within_group(split):
            for number, name in enumerate(names):
                numbers.setdefault(catalogue.groups[name], []).append(number)
        groups = [numbers[group] for group in sorted(numbers)]
        return SplitClasses(names, [catalogue.examples[name] for name in names], groups)

    return Planner(spec, episodes, {split: classes(split) for split in SPLITS}, equal)


def write_used_ids(folder: str, planner: Planner) -> list[str] | None:
    """Writes the planner's `used_ids` for `read_used_ids`, and returns them."""
    used = planner.used_ids()
    with tf.io.gfile.GFile(f"{folder}/{_USED_FILE}", "w") as file:
        file.write(json.dumps(used))
    return used


def read_used_ids(folder: str) -> list[str] | None:
    """The inverse of `write_used_ids`."""
    with tf.io.gfile.GFile(f"{folder}/{_USED_FILE}") as file:
        used: list[str] | None = json.load(file)
    return used


class ContentTable:
    """The stored bytes of the examples that episodes use, by their id, in a file on disk."""

    def __init__(self, folder: str, planner: Planner | None = None) -> None:
        """Opens the table in a folder; `planner` is that of the folder, if it is open."""
        local = _local_copy(folder, [_CONTENT_FILE, _STARTS_FILE])
        ids = read_used_ids(folder)
        if ids is None:
            ids = _all_ids(planner or Planner.open(folder))
        self._rows = {example_id: row for row, example_id in enumerate(ids)}
        self._starts = np.load(os.path.join(local, _STARTS_FILE))
        self._content = open(os.path.join(local, _CONTENT_FILE), "rb")  # noqa: SIM115

    def __getitem__(self, example_id: str) -> bytes:
        start, size = self._starts[self._rows[example_id]].tolist()
        return os.pread(self._content.fileno(), size, start)

    @staticmethod
    def write(folder: str, planner: Planner, source: Source) -> None:
        """Reads the whole source once and writes the files of the table.

        Raises:
          UserError: an example cannot be read, the source no longer holds one of the catalogue, or
            the disk has no room.
        """
        used = write_used_ids(folder, planner)
        ids = _all_ids(planner) if used is None else used
        _check_room(folder, len(ids) * (planner.spec.stored_bytes or 0))
        rows = {example_id: row for row, example_id in enumerate(ids)}
        starts = np.full((len(ids), 2), -1, np.int64)
        position = 0
        with tf.io.gfile.GFile(f"{folder}/{_CONTENT_FILE}", "wb") as file:
            for part in source.parts():
                for stored in source.read(part):
                    row = rows.get(stored.example_id)
                    if row is not None:
                        file.write(stored.content)
                        starts[row] = position, len(stored.content)
                        position += len(stored.content)
        if (starts < 0).any():
            missing = ids[int(np.argmax(starts[:, 0] < 0))]
            raise UserError(
                f"the data changed while they were read: {missing!r} is gone. Run again."
            )
        with tf.io.gfile.GFile(f"{folder}/{_STARTS_FILE}", "wb") as file:
            np.save(file, starts)


def _check_room(folder: str, size: int) -> None:
    free = shutil.disk_usage(folder).free if "://" not in folder else size
    if size > free:
        raise UserError(
            f"the class data need {size / 2**20:,.0f} MB of disk beside the episodes: {folder} has "
            f"{free / 2**20:,.0f} MB free. Make room, or set `beam.runner` to an engine, which "
            "joins episodes from the source."
        )


def _sizes(examples: Sequence[Sequence[str]]) -> list[int]:
    return examples.sizes if isinstance(examples, IdLists) else list(map(len, examples))


def _all_ids(planner: Planner) -> list[str]:
    return [
        example_id
        for split in SPLITS
        for ids in planner.splits[split].examples
        for example_id in ids
    ]


def _local_copy(folder: str, names: Iterable[str]) -> str:
    """The folder, or a local folder with copies of these files where it is in an object store."""
    if "://" not in folder:
        return folder
    local = tempfile.mkdtemp()
    for name in names:
        tf.io.gfile.copy(f"{folder}/{name}", os.path.join(local, name))
    return local
