"""Reads episodes with tf.data: whole vectors of serialised episodes at a time.

Shape letters: E episodes, S support examples, Q query examples.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from components.episodes import format as fmt
from components.episodes.types import Episodes
from components.modalities.base import ExampleSpec
from components.tasks.lookup import task_of
from serving.saved_model.signatures import PADDING_LABEL


def read_split(uri: str, split: str) -> tf.data.Dataset:
    """Reads the serialised episodes of one split, in the order of their indices.

    Raises:
      FileNotFoundError: the split has no files: nothing matches `uri/Split-<split>/*.gz`.
    """
    return tf.data.TFRecordDataset(split_files(uri, split), compression_type="GZIP")


def split_files(uri: str, split: str) -> list[str]:
    """The files of one split, in the order of the episodes they hold."""
    pattern = f"{uri}/Split-{split}/*.gz"
    files = sorted(tf.io.gfile.glob(pattern))
    if not files:
        raise FileNotFoundError(f"no episodes: nothing matches {pattern}")
    return files


def parse_episodes(serialized: tf.Tensor, spec: ExampleSpec) -> Episodes:
    """Parses a vector of serialised episodes, `[E]` string, inside the graph.

    Inputs are of the stored dtype, labels of the task's dtype and shape. Where episodes differ in
    size the shorter are padded at the end: labels with -1, examples with zeros (text and phrases
    with the empty string). A `None` dimension of the spec, which must be the first, is zero-padded
    to the longest example of the call.
    """
    strings = tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True, default_value="")
    task = task_of(spec)
    padding: Any = PADDING_LABEL if task.classes else None
    padding = "" if spec.phrases else padding
    labels = tf.io.FixedLenSequenceFeature(
        task.label_shape, task.stored_dtype, allow_missing=True, default_value=padding
    )
    inputs = {fmt.SUPPORT_INPUT: strings, fmt.QUERY_INPUT: strings}
    features = inputs | {fmt.SUPPORT_LABEL: labels, fmt.QUERY_LABEL: labels}
    parsed = tf.io.parse_example(serialized, features)
    return Episodes(
        support_x=_decode(parsed[fmt.SUPPORT_INPUT], spec),
        support_y=tf.cast(parsed[fmt.SUPPORT_LABEL], task.label_dtype),
        query_x=_decode(parsed[fmt.QUERY_INPUT], spec),
        query_y=tf.cast(parsed[fmt.QUERY_LABEL], task.label_dtype),
    )


def parse_indices(serialized: tf.Tensor) -> tf.Tensor:
    """The numbers of serialised episodes `[E]` within their split, `[E]` int64."""
    index = tf.io.FixedLenFeature([], tf.int64)
    return tf.io.parse_example(serialized, {fmt.INDEX: index})[fmt.INDEX]


def _decode(stored: tf.Tensor, spec: ExampleSpec) -> tf.Tensor:
    """Decodes stored bytes, `[E, S]` string, to `[E, S, *spec.shape]`."""
    if spec.dtype == "string":
        return stored
    fixed = [size for size in spec.shape if size is not None]
    length = math.prod(fixed) * np.dtype(spec.dtype).itemsize
    if len(fixed) < len(spec.shape):
        length = tf.maximum(tf.reduce_max(tf.strings.length(stored)), length)
    flat = tf.io.decode_raw(stored, tf.as_dtype(spec.dtype), fixed_length=length)
    sizes = [-1 if size is None else size for size in spec.shape]
    decoded = tf.reshape(flat, tf.concat([tf.shape(stored), sizes], axis=0))
    decoded.set_shape([*stored.shape, *spec.shape])
    return decoded
