"""Latency and throughput of the server beside the pure call of the same SavedModel.

    python -m benchmarks.serving.load [--model VERSION_FOLDER] [--seconds 8]

Bounded, and on the loopback interface only. The pure call runs the model in this process through
the C++ session, without protocol or checks; it is measured before and after the server, and the
ratios are to the mean of both, because a shared machine drifts.
"""

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import MODEL_NAME, serving, write_result
from serving import signatures as names
from serving.client import FewShotClient

CLIENTS = (1, 2, 4, 8)
BATCHING = (
    "max_batch_size {{ value: {clients} }} batch_timeout_micros {{ value: {wait} }} "
    "num_batch_threads {{ value: {threads} }} max_enqueued_batches {{ value: 100 }}"
)


def measure(call: Callable[[], Any], *, clients: int, seconds: float) -> dict[str, float]:
    """Calls from several threads for a while: latencies in ms, calls per second."""
    latencies: list[list[float]] = [[] for _ in range(clients)]
    barrier = threading.Barrier(clients + 1)
    stop = threading.Event()

    def client(mine: list[float]) -> None:
        call()
        barrier.wait()
        while not stop.is_set():
            start = time.perf_counter()
            call()
            mine.append(time.perf_counter() - start)

    threads = [threading.Thread(target=client, args=(mine,)) for mine in latencies]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    milliseconds = 1000 * np.concatenate([np.array(mine) for mine in latencies])
    p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    return {
        "clients": clients,
        "p50_ms": round(p50, 3),
        "p95_ms": round(p95, 3),
        "p99_ms": round(p99, 3),
        "calls_per_second": round(len(milliseconds) / elapsed, 2),
        "calls": len(milliseconds),
    }


def measure_pure(model: Path, inputs: dict[str, dict], seconds: float) -> dict[str, Any]:
    """The SavedModel in this process: one episode a call, and eight stacked."""
    with FewShotClient.connect(str(model)) as client:
        servable = client._transport._servable  # type: ignore[attr-defined]

        def caller(signature_name: str, arrays: dict) -> Callable[[], Any]:
            signature = servable.signature_defs[signature_name]
            feeds = {signature.inputs[name].name: array for name, array in arrays.items()}
            fetches = [info.name for info in signature.outputs.values()]
            return lambda: servable.run(feeds, fetches)

        stacked = {k: np.repeat(v, 8, axis=0) for k, v in inputs[names.ADAPT_AND_PREDICT].items()}
        result = {
            name: measure(caller(name, arrays), clients=1, seconds=seconds)
            for name, arrays in inputs.items()
        }
        result["8_stacked"] = measure(
            caller(names.ADAPT_AND_PREDICT, stacked), clients=1, seconds=seconds
        )
        return result


def measure_server(
    base_path: Path, inputs: dict[str, dict], seconds: float, flags: list[str], log: Path
) -> dict[str, Any]:
    """Every number of clients, over gRPC with this project's client."""
    result: dict[str, Any] = {}
    with (
        serving(base_path, "--rest_api_port=0", *flags, log=log) as (address, _),
        FewShotClient.connect(address, MODEL_NAME) as client,
    ):
        assert client.signatures
        for name, arrays in inputs.items():
            for clients in CLIENTS:
                result[f"{name}/{clients}"] = measure(
                    lambda name=name, arrays=arrays: client._transport.run(name, arrays, 60.0),
                    clients=clients,
                    seconds=seconds,
                )
    return result


def run(model: Path, seconds: float, folder: Path) -> dict[str, Any]:
    """All measurements, and the two ratios that must hold."""
    base_path, log = folder / "models", folder / "server.log"
    shutil.copytree(model, base_path / "1")
    with FewShotClient.connect(str(model)) as client:
        episode = random_episode(client.signatures[names.ADAPT_AND_PREDICT])
        support = {k: v for k, v in episode.items() if k != names.QUERY_X}
        weights = client.run(names.ADAPT, support).outputs
    inputs: dict[str, dict] = {
        names.ADAPT_AND_PREDICT: episode,
        names.PREDICT: weights | {names.QUERY_X: episode[names.QUERY_X]},
    }
    batching = folder / "batching.config"
    batching.write_text(BATCHING.format(clients=8, wait=5000, threads=1))
    before = measure_pure(model, inputs, seconds)
    alone = measure_server(base_path, inputs, seconds, [], log)
    flags = ["--enable_batching", f"--batching_parameters_file={batching}"]
    joined = measure_server(base_path, inputs, seconds, flags, log)
    after = measure_pure(model, inputs, seconds)
    return {
        "pure_call_before": before,
        "server": alone,
        "server_with_batching": joined,
        "pure_call_after": after,
        "ratios": ratios(before, after, alone, joined),
    }


def ratios(before: dict, after: dict, alone: dict, joined: dict) -> dict[str, float]:
    """The overhead of one client (at most 1.3) and the share of the stacked rate (at least 0.8)."""

    def pure(name: str, key: str) -> float:
        return (before[name][key] + after[name][key]) / 2

    found = {
        f"{name}: p50 of 1 client / pure call": alone[f"{name}/1"]["p50_ms"] / pure(name, "p50_ms")
        for name in (names.ADAPT_AND_PREDICT, names.PREDICT)
    }
    rate = joined[f"{names.ADAPT_AND_PREDICT}/8"]["calls_per_second"]
    stacked = 8 * pure("8_stacked", "calls_per_second")
    found["episodes per second of 8 clients with batching / 8 stacked in a pure call"] = (
        rate / stacked
    )
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a version folder; an untrained MAML if absent")
    parser.add_argument("--seconds", type=float, default=8.0, help="for each figure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = arguments.model or export_maml(folder / "exported")
        result = run(model, arguments.seconds, folder)
    configuration = {
        "model": "given" if arguments.model else "maml conv4, 5 steps, 28x28x1, untrained",
        "episode": "5 ways, 1 shot, 25 queries",
        "seconds_each": arguments.seconds,
    }
    print(write_result("serving_load", configuration, result))
    for name, value in result["ratios"].items():
        print(f"{value:6.3f}  {name}")


if __name__ == "__main__":
    main()
