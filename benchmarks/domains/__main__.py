"""The drop from new classes of known domains to new domains, from nothing and pretrained.

    python -m benchmarks.domains [--only NAME ...] [--static-text FILE] [--lite0 FOLDER] [--record]

Each run is `fewshot run` of a shipped configuration. `TFDS_DATA_DIR` says where prepared data lie.
The pretrained runs need what their configurations name: `--static-text` is the table that `fewshot
encoder distil` wrote, `--lite0` the folder of the encoder of pictures, which is written there
from the user's own package if need be. Emoji need npm and `resvg-py`. Each measured run is added to
the result file, `domains.json`, so that a benchmark that was stopped goes on.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.domains.emoji import emoji_by_hand
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
    parser.add_argument("--lite0", default="lite0", help="folder of EfficientNet-Lite0")
    parser.add_argument("--folder", type=Path, default=UNRECORDED / NAME, help="where all is kept")
    add_record_option(parser)
    arguments = parser.parse_args()
    for name in arguments.only:
        measured = measure(name, arguments)
        result = read_result(NAME, arguments.results)
        report(NAME, {"runs": result.get("runs", {}) | {name: measured}}, arguments.results, table)


def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Runs one configuration and reads its summary."""
    run, folder = RUNS[name], arguments.folder
    changes = [part for change in run.changes for part in ("--set", with_paths(change, arguments))]
    before, started = about(), time.perf_counter()
    configuration = ROOT / "pipeline" / "configs" / f"{run.configuration}.yaml"
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


def with_paths(change: str, arguments: argparse.Namespace) -> str:
    """Puts the paths of what a run needs into a change, and writes what is not there yet."""
    paths = {"LITE0": arguments.lite0, "STATIC_TEXT": arguments.static_text, "EMOJI": ""}
    if "EMOJI" in change:
        paths["EMOJI"] = emoji_by_hand(arguments.folder)
    if "LITE0" in change:
        from benchmarks.encoders.lite0 import write_lite0  # imports TensorFlow

        write_lite0(Path(arguments.lite0))
    for key, path in paths.items():
        change = change.replace(key, os.path.abspath(path))
    return change


if __name__ == "__main__":
    main()
