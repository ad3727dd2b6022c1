"""EpisodeGen in one process: episodes a second, from the table to the files on disk.

    python benchmarks/episode_gen/throughput.py [--data-dir DIR] [--episodes N]

Omniglot, 5-way 1-shot, 1 query a class, through Beam (FnApiRunner, one worker). Reading the source
(once a run, whatever the number of episodes) is timed apart. Prints one line of JSON.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time

import apache_beam as beam

from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeCounts, EpisodeOptions
from components.episode_gen.shards import make_shards
from components.episode_gen.table import ContentTable, make_planner
from components.episode_gen.transforms import WriteFromTable


def measure(data: DataOptions, episodes: EpisodeOptions) -> dict[str, float]:
    """Seconds to read the source, seconds to write the episodes, and the rate."""
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
    count = episodes.counts.train
    return {
        "read_seconds": round(read - started, 2),
        "write_seconds": round(written - read, 2),
        "episodes_per_second": round(count / (written - read)),
        "bytes_per_episode": round(size / count),
    }


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.partition(":")[2].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", help="where prepared TFDS data lie")
    parser.add_argument("--episodes", type=int, default=10_000)
    args = parser.parse_args()
    data = DataOptions(source="tfds", name="omniglot", data_dir=args.data_dir)
    episodes = EpisodeOptions(
        ways=5, shots=1, queries=1, counts=EpisodeCounts(train=args.episodes, eval=0, test=0)
    )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    configuration = {"data": "omniglot", "ways": 5, "shots": 1, "queries": 1}
    machine = {"processor": processor(), "cores": os.cpu_count()}
    machine["load_average"] = round(os.getloadavg()[0], 1)  # of others, before it starts
    print(
        json.dumps(
            {"commit": commit, "machine": machine, "configuration": configuration}
            | {"episodes": args.episodes}
            | measure(data, episodes)
        )
    )


if __name__ == "__main__":
    main()
