"""One meta-step of second-order MAML, here and in others' libraries, in turn on one machine.

    python -m benchmarks.meta_step --peers PYTHON [--rounds 5] [--seconds 3] [--only NAME ...]

PYTHON is an interpreter with `.requirements/bench.txt` installed: the peers need another NumPy
than TensorFlow. Every implementation is a process of its own that compiles first; then they take
turns, several rounds. Losses of the first meta-steps must agree, or nothing is reported.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.meta_step import problem

RESULT = Path("benchmarks/results/meta_step.json")
TOLERANCE = 1e-4
LATER_TOLERANCE = 1e-3
"""After updates: Adam's first steps are as large for a gradient of rounding errors as for any."""
OURS, RATE = "ours", "matmul"
HERE, PEERS = (OURS, "tf_map_fn", RATE), ("jax_vmap", "torch_vmap", "torch_higher")


class Worker:
    """A process that takes meta-steps when told to."""

    def __init__(self, name: str, python: str, case: str):
        self.name = name
        command = [python, "-m", f"benchmarks.meta_step.{name}", case]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self.started = self._hear()

    def run(self, seconds: float) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(seconds, file=self.process.stdin, flush=True)
        return self._hear()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("::"):
                return json.loads(line[2:])
        raise SystemExit(f"{self.name} ended without an answer; run it by hand to see why.")


def measure(case_name: str, pythons: dict[str, str], rounds: int, seconds: float) -> dict[str, Any]:
    """Figures of one case, by implementation."""
    case = problem.CASES[case_name]
    workers = [Worker(name, python, case_name) for name, python in pythons.items()]
    check({w.name: w.started["losses"] for w in workers if w.name != RATE})
    heard: dict[str, list[dict[str, Any]]] = {w.name: [] for w in workers}
    for _ in range(rounds):
        for worker in workers:
            heard[worker.name].append(worker.run(seconds))
    for worker in workers:
        worker.close()
    medians = {
        name: [statistics.median(one["seconds"]) for one in found] for name, found in heard.items()
    }
    rate = 2 * 1024**3 / statistics.median(medians.pop(RATE)) / 1e9
    found = {}
    for worker in workers:
        if worker.name == RATE:
            continue
        speeds = sorted(case.episodes / median for median in medians[worker.name])
        middle = statistics.median(speeds)
        gflops = middle * problem.flop_per_task(case) / 1e9
        found[worker.name] = {
            "tasks_per_second": round(middle, 1),
            "spread": [round(speeds[0], 1), round(speeds[-1], 1)],
            "gflop_per_second": round(gflops, 1),
            "share_of_matmul_rate": round(gflops / rate, 3),
            "compile_seconds": round(worker.started["compile_seconds"], 1),
            "peak_mb": round(heard[worker.name][-1]["peak_mb"]),
            "versions": worker.started["versions"],
        }
    peers = {name: one["tasks_per_second"] for name, one in found.items() if name in PEERS}
    result: dict[str, Any] = {"matmul_gflop_per_second": round(rate, 1), "implementations": found}
    if peers and OURS in found:
        fastest = max(peers, key=lambda name: peers[name])
        # Round by round, so that a machine that slows down slows both.
        pairs = zip(medians[fastest], medians[OURS])
        ratio = statistics.median(theirs / ours for theirs, ours in pairs)
        result |= {"fastest_peer": fastest, "ratio_to_fastest_peer": round(ratio, 2)}
    return result


def check(losses: dict[str, list[float]]) -> None:
    """Refuses a comparison of implementations that do not compute the same."""
    first = losses[OURS] if OURS in losses else next(iter(losses.values()))
    for name, theirs in losses.items():
        apart = [abs(a - b) for a, b in zip(first, theirs)]
        if apart[0] > TOLERANCE or max(apart) > LATER_TOLERANCE:
            raise SystemExit(f"The losses of {name} differ from those of ours: {losses}.")


def show(case_name: str, result: dict[str, Any]) -> None:
    print(f"\n{case_name}: matmul {result['matmul_gflop_per_second']} GFLOP/s")
    print(f"{'':14}{'tasks/s':>9}{'spread':>16}{'GFLOP/s':>9}{'share':>7}{'compile':>9}{'MB':>7}")
    for name, one in result["implementations"].items():
        spread = "{} - {}".format(*one["spread"])
        print(
            f"{name:14}{one['tasks_per_second']:9}{spread:>16}{one['gflop_per_second']:9}"
            f"{one['share_of_matmul_rate']:7.0%}{one['compile_seconds']:8}s{one['peak_mb']:7}"
        )
    if "fastest_peer" in result:
        print(f"ours / {result['fastest_peer']}: {result['ratio_to_fastest_peer']} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", help="a Python with .requirements/bench.txt")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", nargs="*", help="of " + ", ".join(HERE + PEERS))
    arguments = parser.parse_args()
    pythons = {name: sys.executable for name in HERE}
    pythons |= {name: arguments.peers for name in PEERS if arguments.peers}
    if arguments.only:
        pythons = {n: p for n, p in pythons.items() if n in (*arguments.only, RATE)}
    cases = {}
    for name in problem.CASES:
        cases[name] = measure(name, pythons, arguments.rounds, arguments.seconds)
        show(name, cases[name])
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    about = {
        "commit": commit.stdout.strip(),
        "hardware": {"cpus": os.cpu_count(), "machine": platform.machine(), "cpu": _cpu()},
        "load_average": [round(one, 1) for one in os.getloadavg()],
        "configuration": {
            "rounds": arguments.rounds,
            "seconds": arguments.seconds,
            "cases": {name: case._asdict() for name, case in problem.CASES.items()},
        },
    }
    RESULT.parent.mkdir(exist_ok=True)
    temporary = RESULT.with_suffix(".tmp")
    temporary.write_text(json.dumps(about | {"results": cases}, indent=1) + "\n")
    temporary.rename(RESULT)


def _cpu() -> str:
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if "model name" in line), "")


if __name__ == "__main__":
    main()
