"""Checks a whole set of episodes with Beam: the executor without TFX."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import tensorflow as tf

from components.episode_validator.checks import check_episode, check_splits
from components.episodes.dataset import split_files
from components.episodes.format import decode_stored
from components.episodes.record import EpisodeSetRecord, read_record
from components.tasks.lookup import task_of

REPORTED = 20  # violations in a message; one fault often shows in thousands of episodes


def find_violations(
    uri: str, *, output: str, make_pipeline: Callable[[], beam.Pipeline]
) -> list[str]:
    """The first violations of the rules in a set of episodes, as sentences; none if it is sound.

    `output` is the path of a file for the workers' findings, removed in the end.

    Raises:
      UserError: the episodes are of an unknown format version.
    """
    record = read_record(uri)
    violations = list(check_splits(record))
    files = [
        (split, path)
        for split, count in record.counts.items()
        if count
        for path in split_files(uri, split)
    ]
    with make_pipeline() as pipeline:
        checked = (
            pipeline
            | "Files" >> beam.Create(files)
            | "Spread" >> beam.Reshuffle()
            | "Check" >> beam.ParDo(_CheckFile(record)).with_outputs("counts", main="violations")
        )
        counts = (
            checked.counts
            | "Count" >> beam.CombinePerKey(sum)
            | "CheckCounts" >> beam.FlatMap(_check_count, record.counts)
        )
        _ = (
            (checked.violations, counts)
            | "Both" >> beam.Flatten()
            | "First" >> beam.combiners.Top.Of(REPORTED, reverse=True)
            | "Lines" >> beam.FlatMap(lambda lines: lines)
            | "Write" >> beam.io.WriteToText(output, shard_name_template="", num_shards=1)
        )
    with tf.io.gfile.GFile(output) as file:
        violations += file.read().splitlines()
    tf.io.gfile.remove(output)
    return violations


class _CheckFile(beam.DoFn):
    """(split, file) -> violations; and (split, number of episodes) as `counts`."""

    def __init__(self, record: EpisodeSetRecord) -> None:
        self._record = record

    def process(self, element: tuple[str, str]) -> Iterator[Any]:
        split, path = element
        record = self._record
        shape = record.shape_of(split)
        classes = frozenset(record.splits[split])
        size = record.example_spec.stored_bytes
        task = task_of(record.example_spec)
        phrases = record.example_spec.phrases
        targets = 0 if task.classes or phrases else math.prod(task.label_shape)
        count = 0
        dataset = tf.data.TFRecordDataset(path, compression_type="GZIP")
        for serialized in dataset.as_numpy_iterator():
            count += 1
            episode = decode_stored(serialized)
            for violation in check_episode(
                episode,
                shape,
                classes,
                rotated=split in record.rotated_splits,
                size=size,
                target_size=targets,
                phrases=phrases,
            ):
                yield f"episode {episode.index} of {split} {violation}"
        yield beam.pvalue.TaggedOutput("counts", (split, count))


def _check_count(counted: tuple[str, int], counts: dict[str, int]) -> Iterator[str]:
    split, count = counted
    if count != counts[split]:
        yield f"{split} has {count} episodes, not {counts[split]}"
