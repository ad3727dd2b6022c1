"""The papers' table on real Omniglot, trained and judged by this project's own line.

    python -m benchmarks.omniglot [--only NAME ...] [--minutes M] [--judge] [--work-dir DIR]

Takes hours, in as many calls as one likes: every entry goes on from its last checkpoint, and M
bounds the meta-training of one call. An entry is judged when its schedule is done, or at any time
by `--judge`. Writes `benchmarks/results/omniglot.json` and `omniglot.png`; `python -m
benchmarks.readme` makes the README's table of that file. Needs Omniglot (`TFDS_DATA_DIR` where it
was prepared before).
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.omniglot.entries import DATA, TABLE, Entry
from benchmarks.omniglot.table import draw_curves
from benchmarks.reporting import RESULTS, about, read_result, write_result
from components.single_threaded import use_single_threaded_operations

NAME = "omniglot"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(TABLE), default=list(TABLE))
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of meta-training")
    parser.add_argument("--judge", action="store_true", help="also before the schedule is done")
    parser.add_argument("--work-dir", type=Path, default=Path("runs/benchmarks/omniglot"))
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    for name in arguments.only:
        if finished(name) and not arguments.judge:
            print(f"{name}: done before")
            continue
        for found in run(name, TABLE[name], arguments, end - time.monotonic()):
            save(name, found)


def finished(name: str) -> bool:
    """Whether the result file holds this entry, as it is configured now, at its schedule's end."""
    found = read_result(NAME).get("entries", {}).get(name)
    return (
        found is not None
        and found["configuration"] == configuration(TABLE[name])
        and len(found["tests"]) == len(TABLE[name].tests)
        and found["steps"] >= found["of_steps"]
    )


def configuration(entry: Entry) -> dict[str, Any]:
    return {
        "data": DATA,
        "episodes": entry.episodes,
        "learner": entry.learner,
        "training": entry.training,
    } | ({"starts_from": entry.starts_from} if entry.starts_from else {})


def run(name: str, entry: Entry, arguments: Any, seconds: float) -> Iterator[dict[str, Any]]:
    """What the result file says of an entry, anew after each test; nothing if it is not judged."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow takes seconds to import, and the table needs none of it.
    from benchmarks.omniglot import runs

    use_single_threaded_operations()
    of_machine = about()
    trained = runs.train(name, entry, arguments.work_dir, max(seconds, 0.0))
    outcome = trained.outcome
    print(f"{name}: {outcome.steps} steps, {outcome.seconds:.0f} s", flush=True)
    if outcome.steps < entry.training["steps"] and not arguments.judge:
        return
    found = {
        "title": entry.title,
        "protocol": "inductive" if trained.assembly.inductive else "transductive",
        "tests": {},
        "steps": outcome.steps,
        "of_steps": entry.training["steps"],
        "best_step": max(outcome.history, key=lambda at: at["eval_score"])["step"],
        "seconds": round(outcome.seconds),
        "splits_hash": trained.record.splits_hash,
        "seed": {
            "training": entry.training.get("seed", 0),
            "episodes": trained.record.seed,
            "splits": 0,
        },
        "configuration": configuration(entry),
        **of_machine,
        "curve": [
            {key: round(at[key], 4) for key in ("step", "seconds", "eval_score", "eval_ci95")}
            for at in outcome.history
        ],
    }
    for task, result in runs.judge(trained, entry.tests, arguments.work_dir):
        found["tests"][task] = result
        yield found


def save(name: str, found: dict[str, Any]) -> None:
    """Puts an entry into the result file, and draws the curves anew."""
    entries = read_result(NAME).get("entries", {}) | {name: found}
    results = {"entries": {name: entries[name] for name in TABLE if name in entries}}
    write_result(NAME, results)
    draw_curves(results, RESULTS / f"{NAME}.png")


if __name__ == "__main__":
    main()
