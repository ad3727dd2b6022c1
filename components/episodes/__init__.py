"""Episodes on disk: one `tf.train.Example` an episode, and the record that describes a set."""

from typing import NamedTuple

SPLITS = ("train", "eval", "test")  # meta-train, meta-validation, meta-test


class EpisodeShape(NamedTuple):
    """How many examples an episode has.

    Attributes:
      ways: N, classes.
      shots: K, support examples of each class.
      queries: query examples of each class.
    """

    ways: int
    shots: int
    queries: int
