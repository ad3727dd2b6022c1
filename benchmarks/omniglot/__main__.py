"""The papers' table on real Omniglot, trained and evaluated by this project's own steps.

    python -m benchmarks.omniglot [--only NAME ...] [--minutes M] [--evaluate] [--work-dir DIR]
        [--record]

Takes hours, in any number of calls: every entry goes on from its last checkpoint, and M bounds the
meta-training of one call. An entry is evaluated when its schedule is done, or at any time by
`--evaluate`. Result files: `omniglot.json` and `omniglot.png`. Needs Omniglot (`TFDS_DATA_DIR` is
the folder of prepared data).
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.omniglot.entries import TABLE
from benchmarks.omniglot.entry import DATA, Entry
from benchmarks.omniglot.table import draw_curves, table
from benchmarks.reporting import (
    about,
    add_record_option,
    hide_notices,
    read_result,
    report,
    write_result,
)
from components.single_threaded import use_single_threaded_operations

NAME = "omniglot"


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(TABLE), default=list(TABLE))
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="limit of meta-training in this call"
    )
    parser.add_argument("--evaluate", action="store_true", help="also before the schedule is done")
    parser.add_argument("--work-dir", type=Path, default=Path("runs/benchmarks/omniglot"))
    add_record_option(parser)
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    for name in arguments.only:
        if finished(name, arguments.results) and not arguments.evaluate:
            print(f"{name}: done before")
            continue
        for result in run(name, TABLE[name], arguments, end - time.monotonic()):
            save(name, result, arguments.results)
    report(NAME, read_result(NAME, arguments.results), arguments.results, table)


def finished(name: str, folder: Path) -> bool:
    """Tells whether the result file holds this entry, with its present configuration, complete."""
    result = read_result(NAME, folder).get("entries", {}).get(name)
    return (
        result is not None
        and result["configuration"] == configuration(TABLE[name])
        and len(result["tests"]) == len(TABLE[name].tests)
        and result["steps"] >= result["of_steps"]
    )


def configuration(entry: Entry) -> dict[str, Any]:
    """Returns the configuration that the result file keeps of an entry."""
    return {
        "data": DATA,
        "episodes": entry.episodes,
        "learner": entry.learner,
        "training": entry.training,
    } | ({"starts_from": entry.starts_from} if entry.starts_from else {})


def run(name: str, entry: Entry, arguments: Any, seconds: float) -> Iterator[dict[str, Any]]:
    """Trains an entry; yields its part of the result file after each test, if it is evaluated."""
    hide_notices()
    # TensorFlow takes seconds to import, and the table needs none of it.
    from benchmarks.omniglot import runs

    use_single_threaded_operations()
    before = about()
    trained = runs.train(name, entry, arguments.work_dir, max(seconds, 0.0))
    outcome = trained.outcome
    print(f"{name}: {outcome.steps} steps, {outcome.seconds:.0f} s", flush=True)
    if outcome.steps < entry.training["steps"] and not arguments.evaluate:
        return
    entry_result = {
        "title": entry.title,
        "protocol": "inductive" if trained.assembly.learner.inductive else "transductive",
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
        **before,
        "curve": [
            {key: round(at[key], 4) for key in ("step", "seconds", "eval_score", "eval_ci95")}
            for at in outcome.history
        ],
    }
    for task, result in runs.evaluate(trained, entry.tests, arguments.work_dir):
        entry_result["tests"][task] = result
        yield entry_result


def save(name: str, result: dict[str, Any], folder: Path) -> None:
    """Puts an entry into the result file, and draws the curves again."""
    entries = read_result(NAME, folder).get("entries", {}) | {name: result}
    results = {"entries": {name: entries[name] for name in TABLE if name in entries}}
    write_result(NAME, results, folder)
    draw_curves(results, folder / f"{NAME}.png")


if __name__ == "__main__":
    main()
