"""Compares loads in alternating short windows, because a shared machine's speed drifts."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

WINDOW = 0.5  # seconds; short, so that drift affects all loads alike


class Load(NamedTuple):
    """A call, and the number of clients that make it, each as soon as its last call ends."""

    call: Callable[[], Any]
    clients: int = 1


def compare(
    loads: Mapping[str, Load], seconds: float, *, window: float = WINDOW
) -> dict[str, dict[str, float]]:
    """Measures latencies in ms and calls per second of each load, `seconds` each, in windows.

    A window ends when its last calls end, and only the time until then is counted.
    """
    latencies: dict[str, list[float]] = {name: [] for name in loads}
    elapsed = dict.fromkeys(loads, 0.0)
    for load in loads.values():
        load.call()
    for _ in range(max(1, round(seconds / window))):
        for name, load in loads.items():
            window_latencies, time_taken = _window(load, window)
            latencies[name] += window_latencies
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
