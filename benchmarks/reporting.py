"""Where results are written, and what each says of how it was measured. Imports nothing heavy."""

import argparse
import json
import logging
import os
import platform
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving import atomic

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "benchmarks" / "results"
"""The committed results. `benchmarks/README.md` is generated from them, and a test compares."""
UNRECORDED = ROOT / "runs" / "benchmarks"
"""The results of whoever runs a benchmark. Git ignores this folder."""


def add_record_option(parser: argparse.ArgumentParser) -> None:
    """Adds the flag `--record`. `arguments.results` is then the folder that the results go to."""
    parser.add_argument(
        "--record",
        dest="results",
        action="store_const",
        const=RECORDED,
        default=UNRECORDED,
        help="write to benchmarks/results, which is committed; otherwise to runs/benchmarks",
    )


def hide_notices() -> None:
    """Hides the notices and warnings of TensorFlow and what it brings; errors are shown.

    To be called before TensorFlow is imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)


def about() -> dict[str, Any]:
    """Describes the commit, the hardware and the machine's load (one minute's average)."""
    return {
        "commit": _git("rev-parse", "--short", "HEAD"),
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "load_average": round(os.getloadavg()[0], 1),
    }


def processor() -> str:
    """Names the processor, where the system does."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.partition(":")[2].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.machine()


def read_result(name: str, folder: Path) -> dict[str, Any]:
    """Reads the result that was last written under this name; empty if there is none."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write_result(name: str, result: dict[str, Any], folder: Path) -> Path:
    """Writes `<folder>/<name>.json`: all of it, or nothing if the process is killed."""
    path = folder / f"{name}.json"
    atomic.write_text(path, json.dumps(result, indent=1) + "\n")
    return path


def report(
    name: str, result: dict[str, Any], folder: Path, table: Callable[[dict[str, Any]], str]
) -> None:
    """Writes a result, prints its table, and says where it was written.

    Args:
      name: name of the result file, without its ending.
      result: content of the file.
      folder: `arguments.results` of a parser with `--record`.
      table: makes Markdown of the result.
    """
    path = write_result(name, result, folder)
    print(f"\n{table(result)}\nwritten to {os.path.relpath(path)}")
    if folder == RECORDED:
        print("`python -m benchmarks.readme` puts it into benchmarks/README.md")


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
