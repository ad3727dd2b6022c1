"""Counts requests and latencies, under TensorFlow Serving's names, in Prometheus' text format.

Not prometheus-client: it ends a counter's name with `_total`, sorts the labels and adds a
`_created` series to each metric, none of which TensorFlow Serving does.
"""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

Labels = tuple[tuple[str, str], ...]

# Microseconds, 10 x 1.8^i as in TensorFlow Serving: up to about half an hour.
_BOUNDS = [10 * 1.8**i for i in range(33)]


class Metrics:
    """Counts of requests by status, and histograms of latencies in microseconds."""

    def __init__(
        self, parts: Mapping[str, Callable[[], Iterable[tuple[str, str, int]]]] | None = None
    ) -> None:
        """`parts` give name, type and value of their own metrics: the server's parts by name."""
        self._parts = dict(parts or {})
        self._lock = threading.Lock()
        self._counts: dict[Labels, int] = defaultdict(int)
        self._latencies: dict[str, dict[Labels, _Histogram]] = {
            "request_latency": defaultdict(_Histogram),
            "runtime_latency": defaultdict(_Histogram),
        }

    def count_request(self, model: str, status: str) -> None:
        """Counts a request with its status, such as `OK`."""
        with self._lock:
            self._counts[("model_name", model), ("status", status)] += 1

    def record_request(self, model: str, api: str, entrypoint: str, seconds: float) -> None:
        """Records the time from the parsed request to the reply; `entrypoint` is REST or GRPC."""
        labels = ("model_name", model), ("API", api), ("entrypoint", entrypoint)
        self._record("request_latency", labels, seconds)

    def record_run(self, model: str, seconds: float) -> None:
        """Records the time of a run, including the time in the batching queue."""
        labels = ("model_name", model), ("API", "Predict"), ("runtime", "TF1")
        self._record("runtime_latency", labels, seconds)

    def _record(self, metric: str, labels: Labels, seconds: float) -> None:
        with self._lock:
            self._latencies[metric][labels].add(seconds * 1e6)

    def exposition(self) -> str:
        """Writes all metrics in Prometheus' text format 0.0.4."""
        with self._lock:
            lines = list(self._lines())
        return "\n".join(lines) + "\n"

    def _lines(self) -> Iterator[str]:
        for part, metrics in self._parts.items():
            for metric, kind, value in metrics():
                name = f":fewshot:serving:{part}_{metric}"
                yield f"# TYPE {name} {kind}"
                yield f"{name} {value}"
        name = ":tensorflow:serving:request_count"
        yield f"# TYPE {name} counter"
        for labels, count in self._counts.items():
            yield f"{name}{_format(labels)} {count}"
        for metric, histograms in self._latencies.items():
            name = f":tensorflow:serving:{metric}"
            yield f"# TYPE {name} histogram"
            for labels, histogram in histograms.items():
                for bound, count in histogram.cumulative():
                    yield f"{name}_bucket{_format((*labels, ('le', bound)))} {count}"
                yield f"{name}_sum{_format(labels)} {histogram.sum:.0f}"
                yield f"{name}_count{_format(labels)} {sum(histogram.counts)}"


class _Histogram:
    """Counts of values by the bounds above, and their sum."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(_BOUNDS, value)] += 1
        self.sum += value

    def cumulative(self) -> Iterator[tuple[str, int]]:
        total = 0
        for bound, count in zip([*(f"{b:g}" for b in _BOUNDS), "+Inf"], self.counts):
            total += count
            yield bound, total


def _format(labels: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f'{key}="{_escape(value)}"' for key, value in labels) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
