"""Latency and throughput of the server beside the pure call of the same SavedModel.

    python -m benchmarks.serving.load [--model VERSION_FOLDER] [--seconds 6]

Bounded, and on the loopback interface only. The pure call runs the model in this process through
the C++ session, without protocol or checks. All that is compared takes turns in short windows,
because a shared machine drifts; only ratios mean anything.
"""

import argparse
import gc
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import MODEL_NAME, free_port, serving, write_result
from serving import signatures as names
from serving.client import FewShotClient

CLIENTS = (1, 2, 4, 8)
WINDOW = 0.5  # seconds; short, so that what drifts is shared fairly
LONG_WINDOW = 4.0  # for runs of eight episodes, of which a window must hold many
STACKED = 8
BATCHING = (
    f"max_batch_size {{ value: {STACKED} }} batch_timeout_micros {{ value: 5000 }} "
    "num_batch_threads { value: 1 } max_enqueued_batches { value: 100 }"
)


class Load(NamedTuple):
    """A call that so many clients make, each as soon as its last one is answered."""

    call: Callable[[], Any]
    clients: int = 1


def compare(
    loads: Mapping[str, Load], seconds: float, *, window: float = WINDOW
) -> dict[str, dict[str, float]]:
    """Latencies in ms and calls per second of each load, `seconds` in windows by turns.

    A window ends when its last calls are answered, and only the time until then is counted.
    """
    latencies: dict[str, list[float]] = {name: [] for name in loads}
    elapsed = dict.fromkeys(loads, 0.0)
    for load in loads.values():
        load.call()
    for _ in range(max(1, round(seconds / window))):
        for name, load in loads.items():
            found, time_taken = _window(load, window)
            latencies[name] += found
            elapsed[name] += time_taken
    return {name: _summary(loads[name].clients, latencies[name], elapsed[name]) for name in loads}


def _window(load: Load, seconds: float) -> tuple[list[float], float]:
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    def client() -> None:
        while (start := time.perf_counter()) < end:
            load.call()
            latencies.append(time.perf_counter() - start)

    begin = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(load.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies, time.perf_counter() - begin


def _summary(clients: int, latencies: list[float], elapsed: float) -> dict[str, float]:
    p50, p95, p99 = np.percentile(1000 * np.array(latencies), [50, 95, 99])
    return {
        "clients": clients,
        "p50_ms": round(p50, 3),
        "p95_ms": round(p95, 3),
        "p99_ms": round(p99, 3),
        "calls_per_second": round(len(latencies) / elapsed, 2),
        "calls": len(latencies),
    }


def pure_call(client: FewShotClient, signature_name: str, arrays: dict) -> Callable[[], Any]:
    """The session's run, and nothing else; `client` has the model from disk."""
    servable = client._transport._servable  # type: ignore[attr-defined]
    signature = servable.signature_defs[signature_name]
    feeds = {signature.inputs[name].name: array for name, array in arrays.items()}
    fetches = [info.name for info in signature.outputs.values()]
    return lambda: servable.run(feeds, fetches)


def served_call(client: FewShotClient, signature_name: str, arrays: dict) -> Callable[[], Any]:
    return lambda: client._transport.run(signature_name, arrays, 60.0)


def run(model: Path, seconds: float, folder: Path) -> dict[str, Any]:
    """All figures, without and with batching, and the ratios that must hold."""
    base_path, log, batching = folder / "models", folder / "log", folder / "batching.config"
    shutil.copytree(model, base_path / "1")
    batching.write_text(BATCHING)
    adapt_and_predict, predict = names.ADAPT_AND_PREDICT, names.PREDICT
    with FewShotClient.connect(str(model)) as disk:
        episode = random_episode(disk.signatures[adapt_and_predict])
        support = {k: v for k, v in episode.items() if k != names.QUERY_X}
        weights = disk.run(names.ADAPT, support).outputs
        inputs = {
            adapt_and_predict: episode,
            predict: weights | {names.QUERY_X: episode[names.QUERY_X]},
        }
        stacked = {name: np.repeat(array, STACKED, axis=0) for name, array in episode.items()}
        pure = {f"pure {name}": Load(pure_call(disk, name, inputs[name])) for name in inputs}
        pure_stacked = {
            "pure, 8 stacked": Load(pure_call(disk, adapt_and_predict, stacked)),
        }
        rest_port = free_port()
        # A client that has TensorFlow in its memory, as this one does, would pay for walks over it.
        gc.freeze()
        with serving(base_path, f"--rest_api_port={rest_port}", log=log) as (address, _):
            alone = compare(pure | _served(address, inputs, rest_port), seconds)
        flags = ["--enable_batching", f"--batching_parameters_file={batching}"]
        with serving(base_path, "--rest_api_port=0", *flags, log=log) as (address, _):
            loads = _served(address, inputs, None)
            most = {name: loads.pop(name) for name in [f"grpc {adapt_and_predict}, {STACKED}"]}
            joined = compare(pure_stacked | most, 4 * seconds, window=LONG_WINDOW)
            joined |= compare(loads, seconds)
    ratios = {
        f"{name}: p50 of 1 client over gRPC / pure call (at most 1.3)": (
            alone[f"grpc {name}, 1"]["p50_ms"] / alone[f"pure {name}"]["p50_ms"]
        )
        for name in inputs
    }
    ratios["episodes per second of 8 clients with batching / 8 stacked, pure (at least 0.8)"] = (
        joined[f"grpc {adapt_and_predict}, 8"]["calls_per_second"]
        / (STACKED * joined["pure, 8 stacked"]["calls_per_second"])
    )
    return {
        "without_batching": alone,
        "with_batching": joined,
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
    }


def _served(address: str, inputs: dict[str, dict], rest_port: int | None) -> dict[str, Load]:
    client = FewShotClient.connect(address, MODEL_NAME)
    loads = {
        f"grpc {name}, {clients}": Load(served_call(client, name, arrays), clients)
        for name, arrays in inputs.items()
        for clients in CLIENTS
    }
    if rest_port is not None:
        rest = FewShotClient.connect(f"http://localhost:{rest_port}", MODEL_NAME)
        name = names.ADAPT_AND_PREDICT
        loads[f"rest {name}, 1"] = Load(served_call(rest, name, inputs[name]))
    return loads


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a version folder; an untrained MAML if absent")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each figure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = arguments.model or export_maml(folder / "exported")
        result = run(model, arguments.seconds, folder)
    configuration = {
        "model": "given" if arguments.model else "maml conv4, 5 steps, 28x28x1, untrained",
        "episode": "5 ways, 1 shot, 25 queries",
        "seconds_each": arguments.seconds,
        "batching_parameters": BATCHING,
    }
    print(write_result("serving_load", configuration, result))
    for name, value in result["ratios"].items():
        print(f"{value:6.3f}  {name}")


if __name__ == "__main__":
    main()
