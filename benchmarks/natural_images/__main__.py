"""The shipped configuration for natural images, on generated classes, and the cost of its networks.

    python -m benchmarks.natural_images [--only NAME ...] [--set KEY=VALUE ...] [--record]

`run` is `fewshot run` of the configuration, on 100 classes of coloured textures in the protocol's
split, to a push; the rest are a few meta-steps of a network, each in a process of its own. Each
measured part is added to the result file, `natural_images.json`, so that a benchmark that was
stopped goes on.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.natural_images.networks import CONFIGURATION, NETWORKS
from benchmarks.natural_images.table import table
from benchmarks.own_data import generated
from benchmarks.own_data.prepare import write_images
from benchmarks.reporting import ROOT, UNRECORDED, about, add_record_option, read_result, report
from serving import atomic

NAME, RUN = "natural_images", "run"
SPLITS = {"train": 64, "val": 16, "test": 20}
EXAMPLES, SIZE = 60, 84
SHORT = (
    "training.steps=400",
    "training.max_seconds=480",
    "training.eval_every=100",
    "training.eval_episodes=50",
    "training.checkpoint_every=100",
    "episodes.counts.train=600",
    "episodes.counts.eval=100",
)
"""What `run` changes in the configuration, beside the path: a schedule of minutes."""
STEPS = 3
"""Meta-steps of each network, after the first one."""


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=(RUN, *NETWORKS), default=(RUN, *NETWORKS))
    parser.add_argument("--set", nargs="*", default=SHORT, dest="changes", help="of `run`")
    parser.add_argument("--folder", type=Path, default=UNRECORDED / NAME, help="where all is kept")
    add_record_option(parser)
    arguments = parser.parse_args()
    for name in arguments.only:
        of_run = name == RUN
        measured = run(arguments.folder, arguments.changes) if of_run else measure(name)
        result = read_result(NAME, arguments.results)
        report(NAME, result | {name: measured}, arguments.results, table)


def run(folder: Path, changes: Sequence[str]) -> dict[str, Any]:
    """Runs the configuration on the generated classes, and reads its summary."""
    changes = (f"data.path={write_stand_in(folder)}", *changes)
    before, started = about(), time.perf_counter()
    command = [sys.executable, "-m", "pipeline.cli", "run", "--config", str(CONFIGURATION)]
    command += [part for change in changes for part in ("--set", change)]
    status = subprocess.run([*command, "--output-dir", str(folder / RUN)], cwd=ROOT).returncode
    if status not in (0, 3):  # 3: not blessed
        raise SystemExit(f"The run failed with status {status}.")
    # Of the process that took most, of all that the run started.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    summary = json.loads((folder / RUN / "summary.json").read_text())
    return before | {
        "changes": changes[1:],
        "accuracy": [summary["test"]["accuracy"], summary["test"]["ci95"]],
        "best_baseline": summary["best_baseline"],
        "baseline_accuracy": summary["baselines"][summary["best_baseline"]],
        "threshold": summary["threshold"],
        "pushed": summary["pushed"] is not None,
        "meta_steps": summary["meta_train"]["steps"],
        "seconds_of_steps": {step: round(s) for step, s in summary["seconds"].items()},
        "seconds": round(time.perf_counter() - started),
        "peak_mb": round(peak),
    }


def write_stand_in(folder: Path) -> Path:
    """Writes split/class/picture.png, unless it is there; returns the folder of splits."""
    target = folder / "textures"
    if not target.is_dir():
        with atomic.replacement(target) as writing:
            write_images(Path(writing), _pictures())
    return target


def _pictures() -> Iterator[tuple[str, np.ndarray]]:
    """Each picture with its folder, `split/class`: the classes are the same at every call."""
    split_of = [split for split, classes in SPLITS.items() for _ in range(classes)]
    pictures = generated.textures(len(split_of), EXAMPLES, SIZE)
    for number, (name, pixels) in enumerate(pictures):
        yield f"{split_of[number // EXAMPLES]}/{name}", pixels


def measure(name: str) -> dict[str, Any]:
    """Measures a network's meta-step in a worker process."""
    before = about()
    command = [sys.executable, "-m", "benchmarks.natural_images.networks", name, str(STEPS)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    worker = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    if worker.returncode:
        raise SystemExit(f"{name} failed:\n{worker.stderr[-2000:]}")
    return before | json.loads(worker.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
