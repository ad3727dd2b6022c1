"""What each learner costs: compiling, meta-training, adapting as served.

    python -m benchmarks.learners [--only NAME ...] [--seconds 5]

The shapes of `make run`: 28 x 28 images, conv4-32, 5-way 1-shot, 3 queries a class, 16 episodes a
meta-step, every learner with its own defaults. Meta-steps are the Trainer's, adaptation is the
exported model's signature `adapt`; each is measured in a process of its own. Writes
`benchmarks/results/learners.json`, unless only some were asked for.
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.reporting import about, write_result
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=sorted(learners.TABLE))
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    arguments = parser.parse_args()
    before = about()
    print(f"{'':16}" + "".join(f"{title:>12}" for title in COLUMNS.values()), flush=True)
    found = {}
    for name in arguments.only or learners.TABLE:
        found[name] = {}
        for part in ("training", "adaptation"):
            found[name] |= measure(part, name, arguments.seconds)
        print(f"{name:16}" + "".join(f"{found[name][key]:12}" for key in COLUMNS), flush=True)
    if not arguments.only:
        write_result("learners", before | {"learners": found})


def measure(part: str, name: str, seconds: float) -> dict[str, Any]:
    """What the worker of one learner says of a part of its life."""
    command = [sys.executable, "-m", "benchmarks.learners.worker", part, name, str(seconds)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment)
    if ended.returncode:
        raise SystemExit(f"{name} failed:\n{ended.stderr[-2000:]}")
    return json.loads(ended.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
