"""`episodes.json`: the facts about a set of episodes, written beside its splits.

Later steps learn here, and here alone, the modality, the shape of an episode and which classes are
in which split.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from components.episodes import SPLITS, EpisodeShape
from components.episodes.format import FORMAT_VERSION
from components.modalities.base import ExampleSpec
from serving import atomic
from serving.errors import UserError

FILE_NAME = "episodes.json"


@dataclasses.dataclass(frozen=True)
class EpisodeSetRecord:
    """Describes the Examples artifact that it lies in."""

    format_version: int  # version of the set's format (`format.FORMAT_VERSION`)
    example_spec: ExampleSpec  # shape, dtype and preparation of one example
    # ways, shots, queries: shape of an episode of `eval` and `test`; queries are per class. `train`
    # may differ: `shape_of`.
    ways: int
    shots: int
    queries: int
    counts: dict[str, int]  # number of episodes in each split
    seed: int  # seed of the episodes
    splits: dict[str, list[str]]  # the class names of each split, sorted
    groups: dict[str, str]  # the group of each class that has one (alphabet, speaker, domain)
    # The resolved configuration, `{"data": {...}, "episodes": {...}}`, for people to read; what a
    # step needs of it has a field here.
    config: dict[str, Any]
    train_shape: EpisodeShape | None = None  # (ways, shots, queries) of `train` where it differs
    split_by: str = "class"  # "class", or "group" where no group is in two splits
    eval_within_groups: bool = False  # whether `eval` holds new classes of the groups of `train`
    # Splits whose episodes hold rotated classes, called "name@90".
    rotated_splits: tuple[str, ...] = ()

    @property
    def splits_hash(self) -> str:
        """The sha256 of the class lists: equal if and only if the splits are."""
        return hash_splits(self.splits)

    def shape_of(self, split: str) -> EpisodeShape:
        """(ways, shots, queries per class) of the episodes of a split."""
        if split == "train" and self.train_shape is not None:
            return self.train_shape
        return EpisodeShape(self.ways, self.shots, self.queries)

    def to_json(self) -> dict[str, Any]:
        """The content of `episodes.json`."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        spec = self.example_spec.to_json()
        return values | {"example_spec": spec, "splits_hash": self.splits_hash}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "EpisodeSetRecord":
        """The inverse of `to_json`; reads format version 1 too."""
        values = {key: value for key, value in record.items() if key != "splits_hash"}
        if values["format_version"] == 1:
            values = _from_version_1(values)
        values["example_spec"] = ExampleSpec.from_json(values["example_spec"])
        if values.get("train_shape") is not None:
            values["train_shape"] = EpisodeShape(*values["train_shape"])
        values["rotated_splits"] = tuple(values["rotated_splits"])
        return cls(**values)


def hash_splits(splits: Mapping[str, Sequence[str]]) -> str:
    """The sha256 of the class lists of all splits."""
    return hashlib.sha256(json.dumps(splits, sort_keys=True).encode()).hexdigest()


def _from_version_1(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a record of version 1, whose facts were in part in `config` alone."""
    data, episodes = (values["config"].get(section, {}) for section in ("data", "episodes"))
    rotated = {"none": (), "train": ("train",), "all": SPLITS}
    options = {name: data[name] for name in ("invert", "max_seconds") if name in data}
    return values | {
        "format_version": FORMAT_VERSION,
        "example_spec": values["example_spec"] | options,
        "split_by": data.get("split_by", "class"),
        "eval_within_groups": bool(data.get("eval_within")),
        "rotated_splits": rotated[episodes.get("rotations", "none")],
    }


def write_record(uri: str, record: EpisodeSetRecord) -> None:
    """Writes `uri/episodes.json`."""
    atomic.write_json(f"{uri}/{FILE_NAME}", record.to_json())


def read_record(uri: str) -> EpisodeSetRecord:
    """Reads `uri/episodes.json`.

    Raises:
      UserError: the episodes are of a format version that this code does not know.
      ValueError: the class lists are not the ones whose hash was written.
    """
    path = f"{uri}/{FILE_NAME}"
    with tf.io.gfile.GFile(path) as file:
        stored = json.load(file)
    version = stored.get("format_version")
    if version not in (1, FORMAT_VERSION):
        raise UserError(
            f"{path} must be of format version 1 or {FORMAT_VERSION}: it is of version "
            f"{version!r}. Draw the episodes anew, or read them with the version of this project "
            "that wrote them."
        )
    record = EpisodeSetRecord.from_json(stored)
    if record.splits_hash != stored["splits_hash"]:
        raise ValueError(f"{path}: `splits` was changed after it was written")
    return record
