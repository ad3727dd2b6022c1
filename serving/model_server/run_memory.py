"""What a run of a graph will take in memory, predicted from its shapes before it starts.

The memory of a few small runs is measured once a version is loaded: of its warm-up requests, with
more episodes, more support examples, more queries. In between it is linear:

    bytes(E, S, Q) = E * (episode + S * support + min(Q, 128) * query)

of which the graph of an inductive model sees to the 128 (the contract of the SavedModel).
"""

import json
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from serving.model_server.picture_cost import picture_bytes
from serving.model_server.request_memory import TooLarge
from serving.model_server.servable import Servable
from serving.protocol.status import RESOURCE_EXHAUSTED, StatusError
from serving.protocol.tensors import read_tensor
from serving.saved_model import signatures as names

_LOG = logging.getLogger(__name__)
_TIMES = 8  # by which a measured run has more episodes than its request
_EXAMPLES = 48  # support examples, or queries, of a measured run
_QUERIES_AT_ONCE = 128
_SUPPORT = (names.SUPPORT_X, names.SUPPORT_Y, names.SUPPORT_LABELS)

Feeds = Mapping[str, np.ndarray]


class RunCost(NamedTuple):
    """Bytes that the runs of one signature take; the fields are the letters above."""

    episode: float
    support: float
    query: float
    support_feed: str  # the name of a tensor [E, S, ...], or empty
    query_feed: str  # of one [E, Q, ...], or empty
    queries_at_once: int

    def of(self, feeds: Feeds) -> int:
        """The bytes of one run."""
        episodes = max((len(array) for array in feeds.values() if array.ndim), default=0)
        supports = _columns(feeds, self.support_feed)
        queries = min(_columns(feeds, self.query_feed), self.queries_at_once)
        return int(episodes * (self.episode + supports * self.support + queries * self.query))


class RunCosts:
    """The costs of a version's signatures."""

    def __init__(self) -> None:
        self._costs: dict[frozenset[str], RunCost] = {}  # by the names of the tensors fed

    def of(self, feeds: Feeds) -> int:
        """The bytes that a run will take; 0 for a signature without a warm-up request."""
        cost = self._costs.get(frozenset(feeds))
        return 0 if cost is None else cost.of(feeds)

    def measure(self, servable: Servable, requests: Iterable[Any]) -> None:
        """Measures the first warm-up request (PredictRequest) of each signature."""
        servable.run_bytes = self.of
        try:
            at_once = _queries_at_once(servable)
            for request in requests:
                signature = servable.signature_defs[request.model_spec.signature_name]
                feeds = {
                    signature.inputs[alias].name: read_tensor(tensor)
                    for alias, tensor in request.inputs.items()
                }
                if frozenset(feeds) not in self._costs:
                    with servable.in_use():
                        cost = _measure(servable, signature, feeds, at_once)
                    self._costs[frozenset(feeds)] = cost
        except Exception as error:  # a foreign model may refuse what its warm-up is stretched to
            _LOG.warning("The memory of runs of %s is not bounded: %s", servable.name, error)


class RunRoom:
    """Bounds the memory of the runs in flight; a run waits until there is room for it.

    Apart from that of the requests' bodies: if those took the room of the runs, none would end.
    """

    def __init__(self, total: int, max_pixels: int, timeout: float):
        self.total = total  # bytes
        self._max_pixels = max_pixels  # of the pictures of one run
        self._timeout = timeout  # seconds that a run without a deadline waits
        self._in_use = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserve(self, servable: Servable, feeds: Feeds, deadline: float | None) -> Iterator[None]:
        """Reserves what a run takes beside its inputs, for the block.

        Args:
          servable: the model.
          feeds: the run's inputs.
          deadline: on `time.monotonic`'s clock.

        Raises:
          StatusError: RESOURCE_EXHAUSTED if it is more than there is, or was not free in time.
        """
        size = servable.run_bytes(feeds) + picture_bytes(feeds.values(), self._max_pixels)
        if size > self.total:
            raise TooLarge(
                f"The request would take {size / 2**20:.1f} MiB of memory to run, and all runs may "
                f"take {self.total / 2**20:.1f} MiB: send fewer or smaller examples, or start the "
                "server with a larger --max-requests-memory-bytes"
            )
        latest = deadline or time.monotonic() + self._timeout
        with self._changed:
            while self._in_use + size > self.total:
                if not self._changed.wait(max(0.0, latest - time.monotonic())):
                    raise StatusError(
                        RESOURCE_EXHAUSTED,
                        f"The request needs {size / 2**20:.1f} MiB of memory to run, which others "
                        "did not leave in time: try again later, or start the server with a "
                        "larger --max-requests-memory-bytes",
                    )
            self._in_use += size
        try:
            yield
        finally:
            with self._changed:
                self._in_use -= size
                self._changed.notify_all()


def _measure(
    servable: Servable, signature: Any, feeds: dict[str, np.ndarray], at_once: int
) -> RunCost:
    fetches = [info.name for info in signature.outputs.values()]
    inputs = {alias: info.name for alias, info in signature.inputs.items()}
    support = [inputs[alias] for alias in _SUPPORT if alias in inputs]
    query = [inputs[names.QUERY_X]] if names.QUERY_X in inputs else []

    def peak(stretched: list[str], axis: int, times: int) -> int:
        more = {name: np.repeat(feeds[name], times, axis) for name in stretched}
        return servable.peak_bytes(feeds | more, fetches)

    def per_example(stretched: list[str]) -> float:
        """Bytes for one of many examples: the whole run's, as its phases follow each other."""
        if not stretched:
            return 0.0
        number = feeds[stretched[0]].shape[1]
        times = max(1, -(-_EXAMPLES // number))
        return peak(stretched, 1, times) / (number * times * episodes)

    episodes = max(len(array) for array in feeds.values())
    per_support, per_query = per_example(support), per_example(query)
    supports = _columns(feeds, support[0]) if support else 0
    queries = min(_columns(feeds, query[0]), at_once) if query else 0
    added = peak(list(feeds), 0, _TIMES) - servable.peak_bytes(feeds, fetches)
    per_episode = added / (episodes * (_TIMES - 1))
    rest = per_episode - supports * per_support - queries * per_query
    return RunCost(
        episode=max(0.0, rest),
        support=per_support,
        query=per_query,
        support_feed=support[0] if support else "",
        query_feed=query[0] if query else "",
        queries_at_once=at_once,
    )


def _queries_at_once(servable: Servable) -> int:
    path = servable.folder / names.METADATA_FILE
    facts = json.loads(path.read_text()) if path.exists() else {}
    return _QUERIES_AT_ONCE if facts.get("protocol") == "inductive" else 2**62


def _columns(feeds: Feeds, name: str) -> int:
    return feeds[name].shape[1] if name and feeds[name].ndim > 1 else 0
