"""The cost of EpisodeGen as the number of classes grows.

    python -m benchmarks.million_classes 1000 10000 100000 [--record] [--join]

For each number of classes, with 100 examples each: catalogue and split, the planner's file, what a
worker needs to open it, and plans a second; each in a process of its own, so that its peak memory
is known. And all of EpisodeGen, in memory in one process, with 20 examples a class and an episode
of 10 examples for each 5 classes. `--join` also does there what an engine does, the join of all
examples (`WriteByJoin`), which needs gigabytes. Result file: `million_classes.json`.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from glob import glob
from typing import Any

from benchmarks.million_classes.table import table
from benchmarks.reporting import ROOT, about, add_record_option, report

MODULE = "benchmarks.million_classes"
PLANNED, PER_CLASS = 2000, 20
EPISODES = {"ways": 5, "shots": 1, "queries": 1}


def options(classes: int, per_class: int, episodes: int) -> tuple[Any, Any]:
    """Makes the sections `data` and `episodes` of one measurement."""
    from components.episode_gen.options import DataOptions, EpisodeCounts, EpisodeOptions

    source = "benchmarks.million_classes.source.open_source"
    data = DataOptions(source=source, path=f"{classes}x{per_class}", table_megabytes=0)
    counts = EpisodeCounts(train=episodes, eval=0, test=0)
    return data, EpisodeOptions(**EPISODES, counts=counts)


def catalogue(classes: int, folder: str) -> dict[str, float]:
    """Measures the executor's part: list, split, write the planner's file."""
    from components.episode_gen.check import check_data
    from components.episode_gen.table import make_planner

    before = megabytes()
    data, episodes = options(classes, 100, PLANNED)
    started = time.perf_counter()
    checked = check_data(data, episodes)
    checked_at = time.perf_counter()
    make_planner(checked.spec, episodes, checked.catalogue, checked.splits).save(folder)
    return {
        "examples": checked.catalogue.size(),
        "check_seconds": checked_at - started,
        "save_seconds": time.perf_counter() - checked_at,
        "planner_megabytes": sum(map(os.path.getsize, glob(f"{folder}/*"))) / 2**20,
        "memory_megabytes": megabytes() - before,
    }


def plan(classes: int, folder: str) -> dict[str, float]:
    """Measures a worker's part: open the planner, plan episodes."""
    from components.episode_gen.table import Planner

    del classes
    before = megabytes()
    started = time.perf_counter()
    planner = Planner.open(folder)
    opened = time.perf_counter()
    for index in range(PLANNED):
        planner.example_ids("train", planner.plan("train", index))
    return {
        "open_seconds": opened - started,
        "plans_per_second": PLANNED / (time.perf_counter() - opened),
        "memory_megabytes": megabytes() - before,
    }


def generate(classes: int, folder: str) -> dict[str, float]:
    """Measures EpisodeGen as it is on one machine."""
    import apache_beam as beam

    from components.episode_gen.generate import generate_episodes
    from components.episode_gen.options import EpisodeGenConfig

    before = megabytes()
    started = time.perf_counter()
    generate_episodes(
        EpisodeGenConfig(*options(classes, PER_CLASS, _drawn(classes))),
        uri=f"{folder}/examples",
        work=f"{folder}/work",
        make_pipeline=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"]),
    )
    return _rate(classes, started, before)


def join(classes: int, folder: str) -> dict[str, float]:
    """Measures the join of all examples with the episodes, as an engine does it, in one process."""
    import apache_beam as beam

    from components.episode_gen import table
    from components.episode_gen.check import check_data
    from components.episode_gen.shards import make_shards
    from components.episode_gen.transforms import WriteByJoin

    table.MAX_USED = 0  # read and shuffle all, as where most are used
    before = megabytes()
    started = time.perf_counter()
    data, episodes = options(classes, PER_CLASS, _drawn(classes))
    checked = check_data(data, episodes)
    planner = table.make_planner(checked.spec, episodes, checked.catalogue, checked.splits)
    planner.save(folder)
    table.write_used_ids(folder, planner)
    with beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline:
        shards = pipeline | beam.Create(make_shards(episodes, checked.spec))
        shards | WriteByJoin(folder, f"{folder}/examples", data, checked.source.parts())
    return _rate(classes, started, before)


def _drawn(classes: int) -> int:
    return max(1, classes // 5)


def _rate(classes: int, started: float, before: float) -> dict[str, float]:
    seconds, examples = time.perf_counter() - started, classes * PER_CLASS
    return {
        "examples": examples,
        "episodes": _drawn(classes),
        "seconds": seconds,
        "examples_per_second": examples / seconds,
        "memory_megabytes": megabytes() - before,
    }


def megabytes() -> float:
    """Returns the peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


STAGES = {"catalogue": catalogue, "plan": plan, "generate": generate, "join": join}


def main() -> None:
    """Runs the benchmark as its command line says."""
    if sys.argv[1:] and sys.argv[1] in STAGES:  # a worker
        stage, classes, folder = sys.argv[1:]
        costs = STAGES[stage](int(classes), folder)
        print(json.dumps({name: round(value, 2) for name, value in costs.items()}))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("classes", nargs="+", help="number of classes")
    parser.add_argument("--join", action="store_true", help="measure the join as well")
    add_record_option(parser)
    arguments = parser.parse_args()
    stages = [stage for stage in STAGES if stage != "join" or arguments.join]
    measured = []
    for classes in arguments.classes:
        with tempfile.TemporaryDirectory() as folder:
            for stage in stages:
                before = about()
                worker = subprocess.run(
                    [sys.executable, "-W", "ignore", "-m", MODULE, stage, classes, folder],
                    env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3"),
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                costs = json.loads(worker.stdout.splitlines()[-1])
                measured.append(before | {"stage": stage, "classes": int(classes)} | costs)
                print(json.dumps(measured[-1]), flush=True)
    report("million_classes", {"measured": measured}, arguments.results, table)


if __name__ == "__main__":
    main()
