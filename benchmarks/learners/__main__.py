"""The cost of each learner: compilation, meta-training, adaptation as served.

    python -m benchmarks.learners [--only NAME ...] [--seconds 5] [--record]

The shapes of `make run`: 28 x 28 images, conv4-32, 5-way 1-shot, 3 queries a class, 16 episodes a
meta-step, every learner with its own defaults. Meta-steps are the Trainer's, adaptation is the
exported model's signature `adapt`; each is measured in a process of its own. Result
file: `learners.json`, written only when all learners are measured.
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.learners.table import table
from benchmarks.reporting import about, add_record_option, report
from components.meta_trainer import learners

COLUMNS = {
    "compile_seconds": "compile s",
    "episodes_per_second": "episodes/s",
    "peak_mb": "peak MB",
    "export_seconds": "export s",
    "adapt_ms": "adapt ms",
    "adapt_ms_stacked": "stacked ms",
    "adapt_floor_ms": "floor ms",
}


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=sorted(learners.TABLE))
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of each measurement")
    add_record_option(parser)
    arguments = parser.parse_args()
    before = about()
    print(f"{'':16}" + "".join(f"{title:>12}" for title in COLUMNS.values()), flush=True)
    costs: dict[str, dict[str, Any]] = {}
    for name in arguments.only or learners.TABLE:
        costs[name] = {}
        for part in ("training", "adaptation"):
            costs[name] |= measure(part, name, arguments.seconds)
        print(f"{name:16}" + "".join(f"{costs[name][key]:12}" for key in COLUMNS), flush=True)
    if not arguments.only:
        report("learners", before | {"learners": costs}, arguments.results, table)


def measure(part: str, name: str, seconds: float) -> dict[str, Any]:
    """Measures a part of one learner's cost in a worker process."""
    command = [sys.executable, "-m", "benchmarks.learners.worker", part, name, str(seconds)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    worker = subprocess.run(command, capture_output=True, text=True, env=environment)
    if worker.returncode:
        raise SystemExit(f"{name} failed:\n{worker.stderr[-2000:]}")
    return json.loads(worker.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
