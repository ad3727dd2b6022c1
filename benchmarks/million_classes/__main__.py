"""What EpisodeGen costs as the number of classes grows; run by hand.

    python -m benchmarks.million_classes 1000 10000 100000

For each number of classes, with 100 examples each: catalogue and split, the planner's file, what a
worker needs to open it, and plans a second; each in a process of its own, whose peak memory is
its own. And the join (`WriteByJoin`, one process, in memory) with 10 examples a class. Writes
`benchmarks/results/million_classes.json`.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks.reporting import ROOT, about, write_result

MODULE = "benchmarks.million_classes"
PLANNED, JOINED = 2000, 200
EPISODES = {"ways": 5, "shots": 1, "queries": 1}


def options(classes: int, per_class: int, episodes: int) -> tuple[Any, Any]:
    """The sections `data` and `episodes` of one measurement."""
    from components.episode_gen.options import DataOptions, EpisodeCounts, EpisodeOptions
    from components.episode_gen.sources import SOURCES

    SOURCES["synthetic"] = "benchmarks.million_classes.source"
    data = DataOptions(source="synthetic", path=f"{classes}x{per_class}", table_megabytes=0)
    counts = EpisodeCounts(train=episodes, eval=0, test=0)
    return data, EpisodeOptions(**EPISODES, counts=counts)


def catalogue(classes: int, folder: str) -> dict[str, float]:
    """The executor's part: list, split, write down."""
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
        "planner_megabytes": os.path.getsize(f"{folder}/planner.json") / 2**20,
        "memory_megabytes": megabytes() - before,
    }


def plan(classes: int, folder: str) -> dict[str, float]:
    """A worker's part: open, plan."""
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


def join(classes: int, folder: str) -> dict[str, float]:
    """Every example is read, and meets its uses."""
    import apache_beam as beam

    from components.episode_gen.generate import generate_episodes
    from components.episode_gen.options import EpisodeGenConfig

    before = megabytes()
    started = time.perf_counter()
    generate_episodes(
        EpisodeGenConfig(*options(classes, 10, JOINED)),
        uri=f"{folder}/examples",
        work=f"{folder}/work",
        make_pipeline=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"]),
    )
    seconds = time.perf_counter() - started
    return {
        "examples": classes * 10,
        "seconds": seconds,
        "examples_per_second": classes * 10 / seconds,
        "memory_megabytes": megabytes() - before,
    }


def megabytes() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


STAGES = {"catalogue": catalogue, "plan": plan, "join": join}


def main() -> None:
    if sys.argv[1] in STAGES:
        stage, classes, folder = sys.argv[1:]
        found = STAGES[stage](int(classes), folder)
        print(json.dumps({name: round(value, 2) for name, value in found.items()}))
        return
    measured = []
    for classes in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            for stage in STAGES:
                before = about()
                done = subprocess.run(
                    [sys.executable, "-W", "ignore", "-m", MODULE, stage, classes, folder],
                    env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3"),
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                found = json.loads(done.stdout.splitlines()[-1])
                measured.append(before | {"stage": stage, "classes": int(classes)} | found)
                print(json.dumps(measured[-1]), flush=True)
    write_result("million_classes", {"measured": measured})


if __name__ == "__main__":
    main()
