"""One meta-step of second-order MAML, by this project and by other libraries, on one machine.

    python -m benchmarks.meta_step [--peers PYTHON] [--rounds 5] [--seconds 3] [--only NAME ...]
        [--cases CASE ...] [--record]

PYTHON is an interpreter with `.requirements/bench_*.txt` installed: the peers need another NumPy
than TensorFlow. Those whose packages do not load are left out. Every implementation is a process of
its own that compiles first; then each runs for some seconds, one after the other, for several
rounds. Result file: `meta_step.json`, one result for each kind of processor, written only when all
implementations are measured; cases that a call does not measure stay as they are.

Each peer is measured as it comes and as its best user would run it on a CPU: `tf_map_fn_one_core`,
`jax_scan`, `torch_per_core`. The ratio is to the fastest of all. Beside them stands `floor`, the
matrix products alone (`floor.py`) by the same libraries.

The loss and the meta-gradient of the first meta-step must agree, or nothing is reported. (Later
losses need not: where a ReLU's input changes sign an adapted loss jumps, and weights that differ in
the last digit may be on different sides of zero.)
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.meta_step import problem
from benchmarks.meta_step.table import table
from benchmarks.reporting import about, add_record_option, processor, read_result, report

TOLERANCE = 1e-4
"""Largest relative difference of losses."""
GRADIENT_TOLERANCE = 5e-3
"""Largest relative difference of the meta-gradient by each weight. Five steps amplify rounding."""
OURS, FLOOR, RATE = "ours", "floor", "matmul"
HERE = (OURS, "tf_map_fn", "tf_map_fn_one_core", FLOOR, RATE)
PEERS = {
    "jax_vmap": ("jax",),
    "jax_scan": ("jax",),
    "torch_vmap": ("torch",),
    "torch_per_core": ("torch",),
    "torch_higher": ("torch", "higher"),
}
"""The packages that each peer imports."""


class Worker:
    """A process that takes meta-steps on request."""

    def __init__(self, name: str, python: str, *arguments: str):
        self.name = name
        command = [python, "-m", f"benchmarks.meta_step.{name}", *arguments]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self.first = self._receive()

    def run(self, seconds: float) -> dict[str, Any]:
        """Takes meta-steps for that long; returns the duration of each, and the peak memory."""
        assert self.process.stdin is not None
        print(seconds, file=self.process.stdin, flush=True)
        return self._receive()

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("::"):
                return json.loads(line[2:])
        raise SystemExit(f"{self.name} ended without a reply; run it by hand to see why.")


def measure(case_name: str, pythons: dict[str, str], rounds: int, seconds: float) -> dict[str, Any]:
    """Measures one case with every implementation.

    They run in turn; on large pictures, where all at once did not fit into 23 GB, each runs its
    rounds and ends before the next.
    """
    case = problem.CASES[case_name]
    firsts: dict[str, dict[str, Any]] = {}
    replies: dict[str, list[dict[str, Any]]] = {}
    groups = [{name: python} for name, python in pythons.items()] if case.max_pool else [pythons]
    for group in groups:
        workers = [Worker(name, python, case_name) for name, python in group.items()]
        firsts |= {worker.name: worker.first for worker in workers}
        if len(groups) == 1:
            check(firsts)
        for _ in range(rounds):
            for worker in workers:
                replies.setdefault(worker.name, []).append(worker.run(seconds))
        for worker in workers:
            worker.close()
    if len(groups) > 1:
        check(firsts)
    medians = {
        name: [statistics.median(reply["seconds"]) for reply in of_worker]
        for name, of_worker in replies.items()
    }
    rate = 2 * 1024**3 / statistics.median(medians.pop(RATE)) / 1e9
    figures = {}
    for name, first in firsts.items():
        if name == RATE:
            continue
        speeds = sorted(case.episodes / median for median in medians[name])
        middle = statistics.median(speeds)
        gflops = middle * problem.flop_per_task(case) / 1e9
        figures[name] = {
            "tasks_per_second": round(middle, 1),
            "spread": [round(speeds[0], 1), round(speeds[-1], 1)],
            "gflop_per_second": round(gflops, 1),
            "share_of_matmul_rate": round(gflops / rate, 3),
            "compile_seconds": round(first["compile_seconds"], 1),
            "peak_mb": round(replies[name][-1]["peak_mb"]),
            "versions": first["versions"],
        } | first["more"]
    result: dict[str, Any] = {
        "rounds": rounds,
        "seconds": seconds,
        "matmul_gflop_per_second": round(rate, 1),
        "implementations": figures,
    }
    if OURS not in figures:
        return result
    peers = [name for name in figures if name not in (OURS, FLOOR)]
    if peers:
        fastest = max(peers, key=lambda name: figures[name]["tasks_per_second"])
        ratio = _ratio(medians[fastest], medians[OURS])
        result |= {"fastest_peer": fastest, "ratio_to_fastest_peer": ratio}
    return result


def _ratio(theirs: list[float], ours: list[float]) -> float:
    """Returns the median of the rounds' ratios: a machine that slows down slows both."""
    return round(statistics.median(their / our for their, our in zip(theirs, ours)), 2)


def check(replies: dict[str, dict[str, Any]]) -> None:
    """Ends the benchmark if the implementations do not compute the same."""
    replies = {name: one for name, one in replies.items() if name not in (RATE, FLOOR)}
    reference = OURS if OURS in replies else next(iter(replies))
    losses = {name: one["loss"] for name, one in replies.items()}
    changes = {name: _pop_arrays(one["change"]) for name, one in replies.items()}
    for name, theirs in changes.items():
        loss_difference = abs(losses[name] / losses[reference] - 1)
        differences = {
            weight: float(np.linalg.norm(theirs[weight] - ours) / np.linalg.norm(ours))
            for weight, ours in changes[reference].items()
        }
        worst = max(differences, key=lambda weight: differences[weight])
        print(
            f"{name}: relative difference of the loss {loss_difference:.0e}, "
            f"of the meta-gradient {differences[worst]:.0e} ({worst})"
        )
        equal = all(one <= GRADIENT_TOLERANCE for one in differences.values())  # false for NaN
        if not (equal and loss_difference <= TOLERANCE):
            raise SystemExit(
                f"{name} does not compute what {reference} does: {losses}, {differences}."
            )


def _pop_arrays(path: str) -> dict[str, np.ndarray]:
    """Reads a file of arrays and removes it."""
    with np.load(path) as arrays:
        copies = dict(arrays)
    Path(path).unlink()
    return copies


def show(case_name: str, result: dict[str, Any]) -> None:
    """Prints the figures of one case."""
    print(f"\n{case_name}: matmul {result['matmul_gflop_per_second']} GFLOP/s")
    print(f"{'':20}{'tasks/s':>9}{'spread':>16}{'GFLOP/s':>9}{'share':>7}{'compile':>9}{'MB':>7}")
    for name, one in result["implementations"].items():
        spread = "{} - {}".format(*one["spread"])
        print(
            f"{name:20}{one['tasks_per_second']:9}{spread:>16}{one['gflop_per_second']:9}"
            f"{one['share_of_matmul_rate']:7.0%}{one['compile_seconds']:8}s{one['peak_mb']:7}"
        )
    if "fastest_peer" in result:
        print(f"ours / {result['fastest_peer']}: {result['ratio_to_fastest_peer']} x")


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", help="a Python that has .requirements/bench_*.txt installed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--cases", nargs="+", choices=problem.CASES, default=list(problem.CASES))
    parser.add_argument("--only", nargs="*", help="of " + ", ".join((*HERE, *PEERS)))
    add_record_option(parser)
    arguments = parser.parse_args()
    pythons = {name: sys.executable for name in HERE}
    pythons |= {name: arguments.peers for name in PEERS if arguments.peers}
    if arguments.only:
        pythons = {n: p for n, p in pythons.items() if n in (*arguments.only, RATE)}
    pythons = {n: p for n, p in pythons.items() if n in HERE or importable(n, p)}
    before = about()
    cases = {}
    for name in arguments.cases:
        measured = measure(name, pythons, arguments.rounds, arguments.seconds)
        cases[name] = {"commit": before["commit"]} | measured
        show(name, cases[name])
    configuration = {
        "configuration": {
            "cases": {name: case._asdict() for name, case in problem.CASES.items()},
        },
    }
    if not arguments.only:
        machines = read_result("meta_step", arguments.results).get("machines", {})
        earlier = machines.get(processor(), {})
        now = before | configuration
        kept = {}
        if earlier.get("configuration") == now["configuration"]:
            kept = {n: {"commit": earlier["commit"]} | one for n, one in earlier["results"].items()}
        machines[processor()] = now | {"results": kept | cases}
        report("meta_step", {"machines": machines}, arguments.results, table)


def importable(name: str, python: str) -> bool:
    """Tells whether the packages of a peer can be loaded; prints the reason where they cannot.

    PyTorch from PyPI is a CUDA build on some machines, and does not load without its libraries.
    """
    for package in PEERS[name]:
        trial = subprocess.run([python, "-c", f"import {package}"], capture_output=True, text=True)
        if trial.returncode:
            reason = (trial.stderr.strip().splitlines() or ["no message"])[-1]
            print(f"{name} is left out, since {package} cannot be imported: {reason}")
            return False
    return True


if __name__ == "__main__":
    main()
