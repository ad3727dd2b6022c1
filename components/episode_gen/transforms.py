"""Two ways to write the same episodes with Beam.

`WriteFromTable` is for data that fit on a disk of every worker: it assembles each shard from a file
of examples. `WriteByJoin` is for data that do not: it joins plans and examples by example id, so
that no step holds more than the uses of one example, one episode, or one shard.
"""

import functools
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from components import own_code
from components.episode_gen.assemble import assemble
from components.episode_gen.options import DataOptions
from components.episode_gen.shards import Shard, write_shard
from components.episode_gen.sources import open_source
from components.episode_gen.table import ContentTable, Planner, read_used_ids

NAMESPACE = "EpisodeGen"


class WriteFromTable(beam.PTransform):
    """Writes shards, PCollection[Shard] -> PCollection[Shard], from the table in folder `work`."""

    def __init__(self, work: str, uri: str) -> None:
        super().__init__()
        self._work, self._uri = work, uri

    def expand(self, shards: Any) -> Any:
        return (
            shards
            | "SpreadShards" >> beam.Reshuffle()
            | "WriteShards" >> beam.ParDo(_WriteFromTable(self._work, self._uri))
        )


class WriteByJoin(beam.PTransform):
    """Writes shards, PCollection[Shard] -> PCollection[Shard], reading the parts of the source.

    Every worker opens the planner and the list of used examples in the folder `work`, and the
    source of `data`; it gets the code of a user's own source.
    """

    def __init__(self, work: str, uri: str, data: DataOptions, parts: list[str]) -> None:
        super().__init__()
        self._work, self._uri, self._data, self._parts = work, uri, data, parts

    def expand(self, shards: Any) -> Any:
        uses = shards | "SpreadPlans" >> beam.Reshuffle() | "Plan" >> beam.ParDo(_Plan(self._work))
        contents = (
            shards.pipeline
            | "Parts" >> beam.Create(self._parts)
            | "SpreadParts" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_Read(self._work, self._data))
        )
        return (
            {"uses": uses, "contents": contents}
            | "JoinById" >> beam.CoGroupByKey()
            | "Distribute" >> beam.FlatMap(_distribute)
            | "GroupEpisode" >> beam.GroupByKey()
            | "Assemble" >> beam.ParDo(_Assemble(self._work))
            | "GroupShard" >> beam.GroupByKey()
            | "WriteShards" >> beam.ParDo(_WriteGroup(self._uri))
        )


# Keys are strings: their encoding is the same on every runner.


class _WriteFromTable(beam.DoFn):
    """Shard -> the same, after writing it."""

    def __init__(self, work: str, uri: str) -> None:
        self._work, self._uri = work, uri

    def setup(self) -> None:
        self._planner = Planner.open(self._work)
        self._table = ContentTable(self._work, self._planner)

    def process(self, shard: Shard) -> Iterator[Shard]:
        content, indices = self._table.__getitem__, range(shard.start, shard.stop)
        episodes = (assemble(self._planner, shard.split, index, content) for index in indices)
        write_shard(shard, self._uri, episodes)
        ways, shots, queries = self._planner.episodes.shape_of(shard.split)
        _count(shard.split, len(indices), len(indices) * ways * (shots + queries))
        yield shard


class _WorkDoFn(beam.DoFn):
    """A DoFn that needs the planner."""

    def __init__(self, work: str) -> None:
        self._work = work

    def setup(self) -> None:
        self._planner = Planner.open(self._work)


class _Plan(_WorkDoFn):
    """Shard -> (example id, (shard, episode index)), once for each use of an example."""

    def process(self, shard: Shard) -> Iterator[tuple[str, tuple[Shard, int]]]:
        for index in range(shard.start, shard.stop):
            plan = self._planner.plan(shard.split, index)
            for example_id in self._planner.example_ids(shard.split, plan):
                yield example_id, (shard, index)


class _Read(beam.DoFn):
    """Part -> (example id, content), of the examples that are used, where these are few."""

    def __init__(self, work: str, data: DataOptions) -> None:
        self._work, self._data = work, data
        self._own_code = own_code.pack([data.source])

    def setup(self) -> None:
        if self._data.source.rpartition(".")[0] not in sys.modules:
            own_code.unpack(self._own_code)
        self._source = open_source(self._data)
        used = read_used_ids(self._work)
        self._used = None if used is None else frozenset(used)

    def process(self, part: str) -> Iterator[tuple[str, bytes]]:
        for stored in self._source.read(part):
            if self._used is None or stored.example_id in self._used:
                yield stored.example_id, stored.content


def _distribute(
    joined: tuple[str, dict[str, Iterable[Any]]],
) -> Iterator[tuple[str, tuple[Shard, int, str, bytes]]]:
    """(example id, its uses and content) -> (episode, (shard, index, example id, content))."""
    example_id, values = joined
    contents = list(values["contents"])
    for shard, index in values["uses"]:
        if len(contents) != 1:
            raise ValueError(f"example {example_id!r} was read {len(contents)} times, not once")
        yield f"{shard.split} {index}", (shard, index, example_id, contents[0])


class _Assemble(_WorkDoFn):
    """(episode, its examples) -> (shard, (shard, index, serialised episode))."""

    def process(
        self, group: tuple[str, Iterable[tuple[Shard, int, str, bytes]]]
    ) -> Iterator[tuple[str, tuple[Shard, int, bytes]]]:
        examples = list(group[1])
        shard, index = examples[0][:2]
        content = {example_id: stored for _, _, example_id, stored in examples}
        serialized = assemble(self._planner, shard.split, index, content.__getitem__)
        _count(shard.split, 1, len(examples))
        yield shard.key, (shard, index, serialized)


class _WriteGroup(beam.DoFn):
    """(shard, its episodes) -> the shard, after writing it."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def process(self, group: tuple[str, Iterable[tuple[Shard, int, bytes]]]) -> Iterator[Shard]:
        episodes = sorted(group[1], key=lambda episode: episode[1])
        shard = episodes[0][0]
        write_shard(shard, self._uri, (serialized for _, _, serialized in episodes))
        yield shard


@functools.cache
def _counter(name: str) -> Any:
    return Metrics.counter(NAMESPACE, name)


def _count(split: str, episodes: int, examples: int) -> None:
    _counter(f"{split}/episodes").inc(episodes)
    _counter(f"{split}/examples").inc(examples)
