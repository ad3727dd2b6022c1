"""Where the time of a meta-step goes, and the rates of the learners that use the same kernels.

    python -m benchmarks.meta_step.split [--seconds 6] [--record]

Needs Linux's `perf`. Each worker takes meta-steps while perf samples what its cores execute; oneDNN
names its kernels for it. Result file: `meta_step_split.json`.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks import markdown
from benchmarks.meta_step import problem
from benchmarks.meta_step.__main__ import Worker
from benchmarks.meta_step.table import CASES
from benchmarks.reporting import about, add_record_option, report

MEASURED = {
    **{case: ["maml"] for case in CASES},
    "84_pixels_5_steps_15_queries_2_tasks": ["maml", "meta_sgd", "maml_plus_plus"],
}
"""Learners by case."""
PARTS = {
    "products": "matrix products",
    "xla": "XLA's loops",
    "memory": "copying and allocating",
    "other": "the rest",
}
_PRODUCT = re.compile(r"brgemm|_conv_|convolution|gemm|gebp|EigenMatMul|TensorContraction", re.I)


def part_of(library: str, symbol: str) -> str:
    """The part of the time that a sample belongs to, by perf's library and symbol."""
    if _PRODUCT.search(symbol):
        return "products"
    if "JIT" in library:
        return "xla"  # the only code made at run time that has no names
    return "memory" if "libc" in library or "kernel" in library else "other"


def shares(report_of_perf: str) -> dict[str, float]:
    """Sums a report `percent|library|symbol` by part."""
    totals = dict.fromkeys(PARTS, 0.0)
    for line in report_of_perf.splitlines():
        fields = line.split("|", 2)
        if len(fields) == 3 and not line.startswith("#"):
            percent, library, symbol = fields
            totals[part_of(library, symbol)] += float(percent.strip().rstrip("%"))
    whole = sum(totals.values()) or 1.0
    return {part: round(total / whole, 3) for part, total in totals.items()}


def measure(case: str, learner: str, seconds: float) -> dict[str, Any]:
    """Measures one learner: its rate first, then a split of as many seconds."""
    worker = Worker("of_learner", sys.executable, case, learner)
    worker.run(1.0)
    reply = worker.run(seconds)
    with tempfile.TemporaryDirectory() as folder:
        samples, pid = f"{folder}/samples", str(worker.process.pid)
        running = threading.Thread(target=worker.run, args=(seconds + 2,))
        running.start()
        record = ["perf", "record", "-q", "-o", samples, "-p", pid, "--", "sleep", str(seconds)]
        subprocess.run(record, check=True, capture_output=True)
        running.join()
        options = ["--stdio", "--sort", "dso,sym", "-F", "overhead,dso,sym", "-t", "|"]
        said = subprocess.run(
            ["perf", "report", "-i", samples, *options], check=True, capture_output=True, text=True
        )
        worker.close()
        Path(f"/tmp/perf-{pid}.map").unlink(missing_ok=True)  # where oneDNN names its kernels
    median = statistics.median(reply["seconds"])
    return {
        "tasks_per_second": round(problem.CASES[case].episodes / median, 1),
        "peak_mb": round(reply["peak_mb"]),
        "compile_seconds": round(worker.first["compile_seconds"], 1),
        "shares": shares(said.stdout),
    }


def table(result: dict[str, Any]) -> str:
    """Formats a row for each case and learner."""
    titles = ["case", "learner", "tasks/s", "memory", "compilation", *PARTS.values()]
    rows = [
        [
            CASES[case],
            f"`{name}`",
            f"{one['tasks_per_second']:.1f}",
            f"{one['peak_mb']} MB",
            f"{one['compile_seconds']:.0f} s",
            *(f"{one['shares'][part]:.0%}" for part in PARTS),
        ]
        for case, of_case in result["cases"].items()
        for name, one in of_case.items()
    ]
    return markdown.table(titles, rows)


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=6.0)
    add_record_option(parser)
    arguments = parser.parse_args()
    os.environ["ONEDNN_JIT_PROFILE"] = "2"  # a map of its kernels for perf
    before = about()
    cases: dict[str, dict[str, Any]] = {}
    for case, names in MEASURED.items():
        for name in names:
            cases.setdefault(case, {})[name] = measure(case, name, arguments.seconds)
            print(case, name, cases[case][name], flush=True)
    report("meta_step_split", before | {"cases": cases}, arguments.results, table)


if __name__ == "__main__":
    main()
