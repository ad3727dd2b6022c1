"""Adapted weights that stay on the server, within bounds: the least recently used go first."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from serving.protocol.status import FAILED_PRECONDITION, RESOURCE_EXHAUSTED, StatusError
from serving.saved_model.signatures import LOST_HANDLE

Tensors = dict[str, np.ndarray]


class _Entry(NamedTuple):
    """The adapted weights of one episode, `[1, ...]` each, and the version that they are for."""

    version: tuple[str, int]
    tensors: Tensors
    size: int  # bytes


class AdaptedCache:
    """Adapted weights by handles that nobody can guess; threads may share it.

    A handle is good for the version of the model that adapted, and no other.
    """

    def __init__(self, max_bytes: int, max_entries: int):
        self._max_bytes, self._max_entries = max_bytes, max_entries
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0
        self._counts = {"hits": 0, "misses": 0, "evictions": 0}

    def add(self, version: tuple[str, int], tensors: Tensors) -> bytes:
        """Keeps the weights of one episode and returns their handle.

        RESOURCE_EXHAUSTED if they alone are more than all that is kept.
        """
        # A part of a larger array would keep all of it; TensorFlow reads a whole one in place.
        owned = {name: t if _is_whole(t) else t.copy() for name, t in tensors.items()}
        entry = _Entry(version, owned, sum(t.nbytes for t in owned.values()))
        if entry.size > self._max_bytes:
            raise StatusError(
                RESOURCE_EXHAUSTED,
                "The adapted weights must fit into `--adapted-cache-bytes`, "
                f"{self._max_bytes}; got {entry.size} bytes.",
            )
        handle = secrets.token_urlsafe(24).encode()
        with self._lock:
            self._entries[handle] = entry
            self._bytes += entry.size
            while self._bytes > self._max_bytes or len(self._entries) > self._max_entries:
                self._remove(next(iter(self._entries)))
                self._counts["evictions"] += 1
        return handle

    def get(self, version: tuple[str, int], handles: Sequence[bytes]) -> list[Tensors]:
        """The weights of each handle; FAILED_PRECONDITION if one is not kept for the version."""
        with self._lock:
            found = [self._entries.get(handle) for handle in handles]
            kept = [entry for entry in found if entry is not None and entry.version == version]
            self._counts["hits"] += len(kept)
            self._counts["misses"] += len(found) - len(kept)
            if len(kept) < len(found):
                name, number = version
                raise StatusError(
                    FAILED_PRECONDITION,
                    f"{LOST_HANDLE} version {number} of model {name}: it was never given, or its "
                    "weights had to make room; adapt again.",
                )
            for handle in handles:
                self._entries.move_to_end(handle)
        return [entry.tensors for entry in kept]

    def drop(self, version: tuple[str, int]) -> None:
        """Forgets all weights of a version, which is unloaded."""
        with self._lock:
            for handle in [h for h, entry in self._entries.items() if entry.version == version]:
                self._remove(handle)

    def _remove(self, handle: bytes) -> None:
        self._bytes -= self._entries.pop(handle).size

    def metrics(self) -> Iterator[tuple[str, str, int]]:
        """Name, Prometheus' type and value of each metric."""
        with self._lock:
            counts, kept = dict(self._counts), len(self._entries)
            size = self._bytes
        yield from ((name, "counter", count) for name, count in counts.items())
        yield from (("entries", "gauge", kept), ("bytes", "gauge", size))

    @property
    def counts(self) -> Mapping[str, int]:
        """The metrics by name."""
        return {name: value for name, _, value in self.metrics()}


def _is_whole(array: np.ndarray) -> bool:
    """Whether an array is all of its memory, as those that TensorFlow returns are."""
    return not isinstance(array.base, np.ndarray)
