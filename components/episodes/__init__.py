"""Episodes on disk: one `tf.train.Example` an episode, and the record that describes a set."""

from typing import NamedTuple

SPLITS = ("train", "eval", "test")  # meta-train, meta-validation, meta-test


class EpisodeShape(NamedTuple):
    """How many examples an episode has."""

    ways: int  # N, classes
    shots: int  # K, support examples of each class
    queries: int  # query examples of each class
