"""EpisodeGen in one process: episodes a second, from the table to the files on disk.

    python -m benchmarks.episode_gen [--data-dir DIR] [--episodes N] [--record]

Omniglot, 5-way 1-shot, 1 query a class, through Beam (FnApiRunner, one worker). Reading the source
(once a run, whatever the number of episodes) is timed apart. Beside it: episodes sampled in memory
as training scripts do, which keep nothing. Result file: `episode_gen.json`.
"""

import argparse
import os
import tempfile
import time
from typing import Any

import apache_beam as beam
import numpy as np

from benchmarks.episode_gen.in_memory import InMemoryTasks
from benchmarks.episode_gen.table import table
from benchmarks.reporting import about, add_record_option, report
from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeCounts, EpisodeOptions
from components.episode_gen.shards import make_shards
from components.episode_gen.table import ContentTable, Planner, make_planner
from components.episode_gen.transforms import WriteFromTable

WAYS, SHOTS, QUERIES = 5, 1, 1


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="folder of prepared TFDS data")
    parser.add_argument("--episodes", type=int, default=10_000)
    add_record_option(parser)
    arguments = parser.parse_args()
    result = about()
    result["configuration"] = {"data": "omniglot", "ways": WAYS, "shots": SHOTS, "queries": QUERIES}
    data = DataOptions(source="tfds", name="omniglot", data_dir=arguments.data_dir)
    counts = EpisodeCounts(train=arguments.episodes, eval=0, test=0)
    episodes = EpisodeOptions(ways=WAYS, shots=SHOTS, queries=QUERIES, counts=counts)
    result |= {"episodes": arguments.episodes} | measure(data, episodes)
    report("episode_gen", result, arguments.results, table)


def measure(data: DataOptions, episodes: EpisodeOptions) -> dict[str, Any]:
    """Times reading the source, writing the episodes, and sampling as many in memory."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        checked = check_data(data, episodes)
        planner = make_planner(checked.spec, episodes, checked.catalogue, checked.splits)
        planner.save(folder)
        ContentTable.write(folder, planner, checked.source)
        read = time.perf_counter()
        with beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline:
            shards = make_shards(episodes, checked.spec)
            _ = pipeline | beam.Create(shards) | WriteFromTable(folder, folder)
        written = time.perf_counter()
        size = sum(os.path.getsize(shard.path(folder)) for shard in shards)
        tasks = InMemoryTasks(images(folder, planner), WAYS, SHOTS, QUERIES)
    count = episodes.counts.train
    return {
        "read_seconds": round(read - started, 2),
        "write_seconds": round(written - read, 2),
        "episodes_per_second": round(count / (written - read)),
        "bytes_per_episode": round(size / count),
        "in_memory_episodes_per_second": round(in_memory_rate(tasks, count)),
    }


def images(folder: str, planner: Planner) -> list[np.ndarray]:
    """Reads the examples of each class of `train`, `[n, 28, 28, 1]` uint8."""
    table = ContentTable(folder)
    return [
        np.stack([planner.spec.from_bytes(table[one]) for one in ids])
        for ids in planner.splits["train"].examples
    ]


def in_memory_rate(tasks: InMemoryTasks, count: int) -> float:
    """Samples as many tasks, and returns how many a second."""
    started = time.perf_counter()
    for _ in range(count):
        tasks.sample()
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
