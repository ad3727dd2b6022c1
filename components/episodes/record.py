"""`episodes.json`: what a set of episodes is, written beside its splits.

It is the one place where later steps learn the modality, the shape of an episode and which classes
are in which split.
"""

import dataclasses
import hashlib
import json
from typing import Any

import tensorflow as tf

from components.modalities.base import ExampleSpec
from serving import atomic

FILE_NAME = "episodes.json"


@dataclasses.dataclass(frozen=True)
class EpisodeSetRecord:
    """Describes the Examples artifact that it lies in.

    Attributes:
      format_version: of the episodes (`format.FORMAT_VERSION`).
      example_spec: of one example.
      ways, shots, queries: of an episode of `eval` and `test`; queries are per class. `train` may
        differ: `shape_of`.
      counts: episodes in each split.
      seed: of the episodes.
      splits: the class names of each split, sorted.
      groups: the group of each class that has one (alphabet, speaker, domain).
      config: the resolved configuration, `{"data": {...}, "episodes": {...}}`.
      train_shape: (ways, shots, queries) of `train` where it differs.
    """

    format_version: int
    example_spec: ExampleSpec
    ways: int
    shots: int
    queries: int
    counts: dict[str, int]
    seed: int
    splits: dict[str, list[str]]
    groups: dict[str, str]
    config: dict[str, Any]
    train_shape: tuple[int, int, int] | None = None

    @property
    def splits_hash(self) -> str:
        """The sha256 of the class lists: equal if and only if the splits are."""
        return hashlib.sha256(json.dumps(self.splits, sort_keys=True).encode()).hexdigest()

    def shape_of(self, split: str) -> tuple[int, int, int]:
        """(ways, shots, queries per class) of the episodes of a split."""
        if split == "train" and self.train_shape is not None:
            return self.train_shape
        return self.ways, self.shots, self.queries

    def to_json(self) -> dict[str, Any]:
        """The content of `episodes.json`."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {
            "example_spec": self.example_spec.to_json(),
            "splits_hash": self.splits_hash,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "EpisodeSetRecord":
        """The inverse of `to_json`."""
        values = {key: value for key, value in record.items() if key != "splits_hash"}
        values["example_spec"] = ExampleSpec.from_json(record["example_spec"])
        if values.get("train_shape") is not None:
            values["train_shape"] = tuple(values["train_shape"])
        return cls(**values)


def write_record(uri: str, record: EpisodeSetRecord) -> None:
    """Writes `uri/episodes.json`."""
    atomic.write_json(f"{uri}/{FILE_NAME}", record.to_json())


def read_record(uri: str) -> EpisodeSetRecord:
    """Reads `uri/episodes.json`.

    Raises:
      ValueError: the class lists are not the ones whose hash was written.
    """
    with tf.io.gfile.GFile(f"{uri}/{FILE_NAME}") as file:
        stored = json.load(file)
    record = EpisodeSetRecord.from_json(stored)
    if record.splits_hash != stored["splits_hash"]:
        raise ValueError(f"{uri}/{FILE_NAME}: `splits` was changed after it was written")
    return record
