"""The drop from new classes of known domains to new domains, from nothing and pretrained.

    python -m benchmarks.domains [--only NAME ...] [--static-text FILE] [--record]

Each run is `fewshot run` of a shipped configuration. `TFDS_DATA_DIR` says where prepared data lie.
The pretrained runs need what their configurations name: `--static-text` is the table that `fewshot
encoder distil` wrote. Each measured run is added to the result file, `domains.json`, so that a
benchmark that was stopped goes on.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.domains.table import RUNS, table
from benchmarks.reporting import ROOT, UNRECORDED, about, add_record_option, read_result, report

NAME = "domains"
OF_TEST = ("accuracy", "ci95")
OF_EVAL = ("accuracy", "ci95", "ci95_by_class", "drop", "drop_ci95", "drop_ci95_by_class")


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=RUNS, default=list(RUNS))
    parser.add_argument("--static-text", default="minilm.npz", help="table of token vectors")
    parser.add_argument("--folder", type=Path, default=UNRECORDED / NAME, help="where all is kept")
    add_record_option(parser)
    arguments = parser.parse_args()
    for name in arguments.only:
        measured = measure(name, arguments.folder, arguments.static_text)
        result = read_result(NAME, arguments.results)
        report(NAME, {"runs": result.get("runs", {}) | {name: measured}}, arguments.results, table)


def measure(name: str, folder: Path, static_text: str) -> dict[str, Any]:
    """Runs one configuration and reads its summary."""
    run, before, started = RUNS[name], about(), time.perf_counter()
    configuration = ROOT / "pipeline" / "configs" / f"{run.configuration}.yaml"
    changes = [
        part
        for change in run.changes
        for part in ("--set", change.replace("STATIC_TEXT", os.path.abspath(static_text)))
    ]
    command = [sys.executable, "-m", "pipeline.cli", "run", "--config", str(configuration)]
    command += [*changes, "--output-dir", str(folder / name)]
    status = subprocess.run(command, cwd=ROOT).returncode
    if status not in (0, 3):  # 3: not blessed
        raise SystemExit(f"The run of {name} failed with status {status}.")
    summary = json.loads((folder / name / "summary.json").read_text())
    intervals, within = summary["test_intervals"], summary["within_domain"]
    return before | {
        "learner": summary["learner"],
        "ways": summary["ways"],
        "shots": summary["shots"],
        "test_groups": summary["test_split"]["groups"],
        "test_classes": summary["test_split"]["classes"],
        "test": {key: summary["test"][key] for key in OF_TEST} | intervals,
        "within_domain": {key: within[key] for key in OF_EVAL},
        "seconds": round(time.perf_counter() - started),
    }


if __name__ == "__main__":
    main()
