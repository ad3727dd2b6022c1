"""Measures how good clients are answered, and what memory the server takes, under attack.

    python -m benchmarks.serving.hostile [--attacks half_headers,gzip_bombs] [--record]

Each attack is repeated in a process of its own while a good client asks on. That process yields the
cores to the server, as it would be on another machine. Where the system lets us (Linux, control
groups of version 1, as root), the memory of the server and its children is capped.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.reporting import add_record_option
from benchmarks.serving import attacks
from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import MODEL_NAME, free_port, report, resident_bytes, serving
from benchmarks.serving.soak import TOLERANCE, expected_probabilities
from serving.client import FewShotClient
from serving.model_versions.folders import publish
from serving.saved_model import signatures as names

QUIET_SECONDS = 10.0
ATTACK_SECONDS = 8.0  # an attack that has begun is not cut off
MEMORY_CAP = 2 * 2**30
_CONTROL_GROUPS = Path("/sys/fs/cgroup/memory")
_Opened = TypeVar("_Opened")
_ATTACK = """
import os, sys, time
from benchmarks.serving import attacks
from benchmarks.serving.attack_target import Target
from serving.model_server.process import raise_file_limit
os.nice(19)
raise_file_limit()
target = Target(int(sys.argv[1]), int(sys.argv[2]))
end = time.monotonic() + float(sys.argv[4])
while time.monotonic() < end:
    getattr(attacks, sys.argv[3])(target)
    time.sleep(0.5)
    target.close()
"""


class Watch:
    """A good client that asks on, with the times of its answers and the server's memory."""

    def __init__(self, address: str, pid: int, episode: dict, right: np.ndarray):
        self._address, self._pid = address, pid
        self._episode, self._right = episode, right
        self.milliseconds: list[float] = []
        self.faults: list[str] = []
        self.peak = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._ask, self._look)]

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self.peak = max(self.peak, resident_bytes(self._pid))

    def _ask(self) -> None:
        with FewShotClient.connect(self._address, MODEL_NAME) as client:
            while not self._stop.wait(0.01):
                start = time.perf_counter()
                try:
                    reply = client.run(names.ADAPT_AND_PREDICT, self._episode)
                except Exception as error:
                    self.faults.append(f"{type(error).__name__}: {error}")
                    continue
                self.milliseconds.append(1e3 * (time.perf_counter() - start))
                if not np.allclose(reply.outputs[names.PROBABILITIES], self._right, atol=TOLERANCE):
                    self.faults.append("a wrong answer")

    def result(self) -> dict[str, Any]:
        """The measurements since the start."""
        p50, p99 = np.percentile(self.milliseconds or [float("nan")], [50, 99])
        return {
            "answers": len(self.milliseconds),
            "p50_ms": round(float(p50), 1),
            "p99_ms": round(float(p99), 1),
            "faults": len(self.faults),
            "first_faults": self.faults[:3],
            "peak_megabytes": self.peak >> 20,
        }


class MemoryCap:
    """A control group for the server; `how` says what it caps, or why it does not."""

    def __init__(self) -> None:
        self._group = _CONTROL_GROUPS / f"hostile-{os.getpid()}"
        try:
            self._group.mkdir()
            (self._group / "memory.limit_in_bytes").write_text(str(MEMORY_CAP))
            self.how = f"{MEMORY_CAP >> 20} MB by a control group"
        except OSError as error:
            self.how = f"not capped: {error}"

    @contextmanager
    def around(self, opened: AbstractContextManager[_Opened]) -> Iterator[_Opened]:
        """Opens a context whose processes begin in the group."""
        if self.how.startswith("not"):
            with opened as what:
                yield what
            return
        self._move(self._group)
        with opened as what:
            self._move(_CONTROL_GROUPS)
            yield what
        self._group.rmdir()

    def _move(self, group: Path) -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()))


def main() -> None:
    """Serves an untrained MAML, and reports each attack beside a quiet time."""
    parser = argparse.ArgumentParser(description=__doc__)
    every = [attack.__name__ for attack in attacks.ATTACKS]
    parser.add_argument("--attacks", default=",".join(every))
    parser.add_argument("--seconds", type=float, default=ATTACK_SECONDS)
    add_record_option(parser)
    arguments = parser.parse_args()
    chosen = arguments.attacks.split(",")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = export_maml(folder / "exported")
        with FewShotClient.connect(str(model)) as client:
            good = random_episode(client.signatures[names.ADAPT_AND_PREDICT], queries=1)
        ((right,),) = expected_probabilities([model], [good])
        publish(model, folder / "models", now=1)
        port, log = free_port(), folder / "log"
        flags = [f"--rest_api_port={port}", "--client_timeout_seconds=8"]
        results: dict[str, Any] = {}
        cap = MemoryCap()
        server = serving(folder / "models", *flags, log=log)
        with cap.around(server) as (address, process):
            with Watch(address, process.pid, good, right) as watch:
                time.sleep(QUIET_SECONDS)
            results["none"] = watch.result()
            for name in chosen:
                with Watch(address, process.pid, good, right) as watch:
                    command = [sys.executable, "-c", _ATTACK, address.rpartition(":")[2]]
                    command += [str(port), name, str(arguments.seconds)]
                    subprocess.run(command, check=False, timeout=300)
                time.sleep(3)
                results[name] = watch.result() | {
                    "megabytes_after": resident_bytes(process.pid) >> 20,
                    "alive": process.poll() is None,
                }
                print(name, results[name], flush=True)
        results["tracebacks"] = log.read_text().count("Traceback")
    configuration = {
        "attacks": chosen,
        "quiet_seconds": QUIET_SECONDS,
        "attack_seconds": arguments.seconds,
        "memory": cap.how,
    }
    report("serving_hostile", configuration, results, arguments.results)


if __name__ == "__main__":
    main()
