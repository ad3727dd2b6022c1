"""What every result file says of how it was measured, and writing it. Imports nothing heavy."""

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from serving import atomic

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def about() -> dict[str, Any]:
    """Commit, hardware and the load of the machine at this moment (one minute's average)."""
    return {
        "commit": _git("rev-parse", "--short", "HEAD"),
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "load_average": round(os.getloadavg()[0], 1),
    }


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.partition(":")[2].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.machine()


def write_result(name: str, result: dict[str, Any]) -> Path:
    """Writes `benchmarks/results/<name>.json`."""
    path = RESULTS / f"{name}.json"
    atomic.write_text(path, json.dumps(result, indent=1) + "\n")
    return path


def read_result(name: str) -> dict[str, Any]:
    """What `write_result` wrote last; empty if it never did."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _git(*arguments: str) -> str:
    found = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip()
