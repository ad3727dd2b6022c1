"""One episode as a `tf.train.Example`, and back, bit for bit.

Shape letters: S support examples, Q query examples, N ways.

Features of the record
    support/input, query/input   bytes list, one value an example (`ExampleSpec.to_bytes`)
    support/label, query/label   int64 list 0..N-1, a float list of regression targets, or phrases
    episode/index                int64, the episode's number within its split
    episode/class_names          bytes list, N names in label order (the task's, for regression)
    episode/example_ids          bytes list, S + Q ids, support then query

Versions of the format of a set of episodes
    1   `example_spec` of episodes.json lacks `invert` and `max_seconds`, and what is split and
        rotated how stands in its `config` alone; still read (`record.py`)
    2   the same episodes, byte for byte; episodes.json has a field for each of these facts
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.modalities.base import ExampleSpec

FORMAT_VERSION = 2

SUPPORT_INPUT = "support/input"
SUPPORT_LABEL = "support/label"
QUERY_INPUT = "query/input"
QUERY_LABEL = "query/label"
INDEX = "episode/index"
CLASS_NAMES = "episode/class_names"
EXAMPLE_IDS = "episode/example_ids"


@dataclasses.dataclass(frozen=True, eq=False)
class Episode:
    """A support set and a query set over the same N classes."""

    index: int  # the episode's number within its split
    support_x: Sequence[Any]  # S examples, each of the spec's shape and dtype
    support_y: np.ndarray  # `[S]` int32 labels 0..N-1, `[S, T]` float32 targets, or `[S]` phrases
    query_x: Sequence[Any]  # Q examples
    query_y: np.ndarray  # `[Q]` int32, `[Q, T]` float32, or `[Q]` bytes
    class_names: list[str]  # N names; a label is an index into them
    example_ids: list[str]  # S + Q ids, support then query


def encode_episode(episode: Episode, spec: ExampleSpec) -> bytes:
    """Serialises an episode as a `tf.train.Example`; equal episodes give equal bytes.

    Raises:
      ValueError: an array's shape is not the spec's.
    """
    return encode_stored(
        dataclasses.replace(
            episode,
            support_x=[_to_bytes(x, spec) for x in episode.support_x],
            query_x=[_to_bytes(x, spec) for x in episode.query_x],
        )
    )


def encode_stored(episode: Episode) -> bytes:
    """Serialises an episode whose examples are stored bytes already."""
    record = tf.train.Example()
    feature = record.features.feature
    feature[SUPPORT_INPUT].bytes_list.value.extend(episode.support_x)
    feature[QUERY_INPUT].bytes_list.value.extend(episode.query_x)
    _put_labels(feature[SUPPORT_LABEL], episode.support_y)
    _put_labels(feature[QUERY_LABEL], episode.query_y)
    feature[INDEX].int64_list.value.append(episode.index)
    feature[CLASS_NAMES].bytes_list.value.extend([name.encode() for name in episode.class_names])
    feature[EXAMPLE_IDS].bytes_list.value.extend([name.encode() for name in episode.example_ids])
    return record.SerializeToString(deterministic=True)


def decode_episode(serialized: bytes, spec: ExampleSpec) -> Episode:
    """The inverse of `encode_episode`."""
    stored = decode_stored(serialized)
    return dataclasses.replace(
        stored,
        support_x=[spec.from_bytes(x) for x in stored.support_x],
        query_x=[spec.from_bytes(x) for x in stored.query_x],
    )


def decode_stored(serialized: bytes) -> Episode:
    """Parses an episode, leaving its examples as stored bytes."""
    feature = tf.train.Example.FromString(serialized).features.feature
    return Episode(
        index=feature[INDEX].int64_list.value[0],
        support_x=list(feature[SUPPORT_INPUT].bytes_list.value),
        support_y=_get_labels(feature[SUPPORT_LABEL], len(feature[SUPPORT_INPUT].bytes_list.value)),
        query_x=list(feature[QUERY_INPUT].bytes_list.value),
        query_y=_get_labels(feature[QUERY_LABEL], len(feature[QUERY_INPUT].bytes_list.value)),
        class_names=[name.decode() for name in feature[CLASS_NAMES].bytes_list.value],
        example_ids=[name.decode() for name in feature[EXAMPLE_IDS].bytes_list.value],
    )


def _to_bytes(example: Any, spec: ExampleSpec) -> bytes:
    if spec.dtype != "string":
        shape = np.shape(example)
        if len(shape) != len(spec.shape) or any(
            want not in (None, have) for want, have in zip(spec.shape, shape)
        ):
            raise ValueError(f"an example must have shape {spec.shape}, got {shape}")
    return spec.to_bytes(example)


def _put_labels(feature: tf.train.Feature, labels: np.ndarray) -> None:
    labels = np.asarray(labels)
    if labels.dtype.kind == "f":
        feature.float_list.value.extend(labels.astype(np.float32).ravel().tolist())
    elif labels.dtype.kind == "O":
        feature.bytes_list.value.extend(labels.tolist())
    else:
        feature.int64_list.value.extend(labels.tolist())


def _get_labels(feature: tf.train.Feature, examples: int) -> np.ndarray:
    if feature.WhichOneof("kind") == "float_list":
        return np.array(feature.float_list.value, np.float32).reshape(examples, -1)
    if feature.WhichOneof("kind") == "bytes_list":
        return np.array(feature.bytes_list.value, object)
    return np.array(feature.int64_list.value, np.int32)
