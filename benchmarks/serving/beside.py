"""Measures the server of this checkout beside that of another one, as of an older commit.

    git worktree add OTHER COMMIT
    python -m benchmarks.serving.beside OTHER [--seconds 6] [--starts 5] [--record]

Both serve the same model with one thread a run, so that nothing but the server differs, and the
loads alternate in short windows: on a shared machine two runs one after the other tell nothing.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.reporting import ROOT, add_record_option
from benchmarks.serving.load import BATCHING, CACHE, HANDLE, LONG_WINDOW, STACKED, by_handle, served
from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import command, free_port, report, wait_until_it_answers
from benchmarks.serving.windows import WINDOW, Load, compare
from serving.client import FewShotClient
from serving.saved_model import signatures as names

THIS, OTHER = "this", "other"
ONE_THREAD = ("--tensorflow_intra_op_parallelism=1", "--tensorflow_inter_op_parallelism=1")
Makers = Mapping[str, Callable[[str], Load]]  # by the load's name, of a server's address


@contextmanager
def server(checkout: Path, base_path: Path, *flags: str, log: Path) -> Iterator[str]:
    """Runs the server of a checkout in the block; yields its address once it answers."""
    port = free_port()
    words = command(base_path, port, "--rest_api_port=0", *ONE_THREAD, *flags)
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    with open(log, "ab") as output:
        process = subprocess.Popen(
            words, stdout=output, stderr=output, cwd=checkout, env=environment
        )
    try:
        wait_until_it_answers(f"localhost:{port}", 300.0)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


class Pair:
    """The two checkouts, and the model that both serve."""

    def __init__(self, other: Path, base_path: Path, log: Path):
        self._checkouts = {OTHER: other, THIS: ROOT}
        self._base_path, self._log = base_path, log

    def answers(
        self, loads: Makers, seconds: float, window: float, *flags: str
    ) -> dict[str, dict[str, dict[str, float]]]:
        """Measures the loads on both servers at once, in turns: load -> checkout -> figures."""
        with ExitStack() as running:
            turns = {}
            for name, checkout in self._checkouts.items():
                opened = server(checkout, self._base_path, *flags, log=self._log)
                address = running.enter_context(opened)
                turns |= {(load, name): make(address) for load, make in loads.items()}
            flat = {f"{load}|{name}": turns[load, name] for load in loads for name in (OTHER, THIS)}
            figures = compare(flat, seconds, window=window)
        return {load: {name: figures[f"{load}|{name}"] for name in (OTHER, THIS)} for load in loads}

    def starts(self, count: int) -> dict[str, list[float]]:
        """Seconds from the start of a server until it answers, in turns."""
        seconds: dict[str, list[float]] = {OTHER: [], THIS: []}
        for _ in range(count):
            for name, checkout in self._checkouts.items():
                seconds[name].append(round(self._start(checkout), 2))
        return seconds

    def _start(self, checkout: Path) -> float:
        begin = time.monotonic()
        with server(checkout, self._base_path, log=self._log):
            return time.monotonic() - begin


def run(other: Path, seconds: float, starts: int, folder: Path) -> dict[str, Any]:
    """Measures answers alone, answers with batching, and starts."""
    model, base_path = export_maml(folder / "exported"), folder / "models"
    shutil.copytree(model, base_path / "1")
    with FewShotClient.connect(str(model)) as disk:
        episode = random_episode(disk.signatures[names.ADAPT_AND_PREDICT])
        support = {k: v for k, v in episode.items() if k != names.QUERY_X}
        weights = disk.run(names.ADAPT, support).outputs
    inputs = {
        names.ADAPT_AND_PREDICT: episode,
        names.PREDICT: weights | {names.QUERY_X: episode[names.QUERY_X]},
    }

    def load(name: str) -> Callable[[str], Load]:
        return lambda address: served(address, inputs, None)[f"grpc {name}"]

    alone = {f"{name}, 1 client": load(f"{name}, 1") for name in inputs}
    alone["predict by handle, 1 client"] = lambda address: by_handle(address, episode)[HANDLE]
    full = f"{names.ADAPT_AND_PREDICT}, {STACKED}"
    batching = folder / "batching.config"
    batching.write_text(BATCHING)
    flags = ["--enable_batching", f"--batching_parameters_file={batching}"]
    pair = Pair(other, base_path, folder / "log")
    answers = pair.answers(alone, seconds, WINDOW, CACHE)
    answers |= pair.answers(
        {f"{full} clients, batching": load(full)}, 4 * seconds, LONG_WINDOW, *flags
    )
    return {"answers": answers, "seconds_until_it_answers": pair.starts(starts)}


def main() -> None:
    """Measures both checkouts, and writes and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="the folder of the other checkout")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each figure")
    parser.add_argument("--starts", type=int, default=5, help="of each server")
    add_record_option(parser)
    arguments = parser.parse_args()
    other = arguments.other.resolve()
    words = ["git", "-C", str(other), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(words, capture_output=True, text=True).stdout.strip()
    if not commit or not (other / "serving").is_dir():
        parser.error(f"OTHER must be the folder of a checkout of this project: {other} is none.")
    with tempfile.TemporaryDirectory() as temporary:
        result = run(other, arguments.seconds, arguments.starts, Path(temporary))
    configuration = {"other_commit": commit, "seconds_each": arguments.seconds}
    report("serving_beside", configuration, result, arguments.results)


if __name__ == "__main__":
    main()
