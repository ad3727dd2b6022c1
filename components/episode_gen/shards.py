"""The files of a split: a fixed number, each with a fixed range of episodes.

So the files are the same, byte for byte, whichever worker writes them and in whatever order.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import tensorflow as tf

from components.episode_gen.options import EpisodeOptions
from components.episode_gen.targets import target_bytes
from components.episodes import SPLITS
from components.modalities.base import ExampleSpec
from serving import atomic

SHARD_BYTES = 32 << 20  # uncompressed; a worker sorts one shard in memory
MIN_SHARDS = 8  # so that a few workers share even a small split
_GUESSED_TEXT_BYTES, _GUESSED_EXAMPLE_BYTES = 256, 32 << 10  # where examples differ in size
# Level 1 writes drawings twice as fast as the default 6 and makes files a tenth larger.
_OPTIONS = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


class Shard(NamedTuple):
    """One file of a split."""

    split: str  # "train", "eval" or "test"
    number: int  # its place among the `of` files of the split
    of: int  # number of files of the split
    # start, stop: it holds the episodes `start` to `stop - 1`
    start: int
    stop: int

    @property
    def key(self) -> str:
        """A string that no other shard has."""
        return f"{self.split} {self.number}"

    def path(self, uri: str) -> str:
        """The path of the file below the location of the artifact."""
        name = f"data_tfrecord-{self.number:05d}-of-{self.of:05d}.gz"
        return f"{uri}/Split-{self.split}/{name}"


def example_bytes(spec: ExampleSpec) -> int:
    """The size of one stored example and its target in bytes, a guess where sizes differ."""
    guess = _GUESSED_TEXT_BYTES if spec.dtype == "string" else _GUESSED_EXAMPLE_BYTES
    return (spec.stored_bytes or guess) + target_bytes(spec)


def make_shards(episodes: EpisodeOptions, spec: ExampleSpec) -> list[Shard]:
    """Cuts all splits into shards; depends on the configuration alone."""
    shards = []
    for split in SPLITS:
        count = getattr(episodes.counts, split)
        ways, shots, queries = episodes.shape_of(split)
        size = count * ways * (shots + queries) * example_bytes(spec)
        of = min(count, max(MIN_SHARDS, math.ceil(size / SHARD_BYTES)))
        shards += [
            Shard(split, number, of, number * count // of, (number + 1) * count // of)
            for number in range(of)
        ]
    return shards


def write_shard(shard: Shard, uri: str, records: Iterable[bytes]) -> None:
    """Writes one file, whole: a runner may try one shard in two places at once."""
    with (
        atomic.replacement(shard.path(uri)) as temporary,
        tf.io.TFRecordWriter(temporary, _OPTIONS) as writer,
    ):
        for record in records:
            writer.write(record)
