"""Draws the requests to log and hands them to a thread that writes them.

A request never waits for the disk, and never fails by its log: what does not fit into the queue is
counted and left out.
"""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from serving.model_server.request_log.disk import LogFiles
from serving.model_server.request_log.messages import LOGGED, prediction_log
from serving.model_server.request_log.target import LogTarget

_LOG = logging.getLogger(__name__)

_METADATA_BYTES = 100  # of a record, about
_IDLE_SECONDS = 60.0  # between looks for files to finish
_PAUSE_SECONDS = 30.0  # without writing, after the disk took no record
_STOP_SECONDS = 30.0  # for what is in the queue, when the server stops

# The request and the response of a call.
Messages = Callable[[], tuple[Any, Any]]


class _Entry(NamedTuple):
    """A record in the queue, in pieces."""

    prefix: Path
    pieces: list[bytes]
    size: int  # bytes


class RequestLog:
    """The logs of all models; threads may share it.

    Args:
      target: gives the log of a model by its name, None if it has none.
      max_bytes: of all files.
      queue_bytes: of the records that wait to be written.
      seed: of the draw of requests; None for another one each time.
    """

    def __init__(
        self,
        target: Callable[[str], LogTarget | None],
        *,
        max_bytes: int,
        queue_bytes: int,
        seed: int | None = None,
    ):
        self._target = target
        self._random = random.Random(seed)
        self._files = LogFiles(max_bytes)
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._queue_bytes, self._waiting = queue_bytes, 0
        self._lock = threading.Lock()
        outcomes = "records", "queue_full", "too_large", "disk_failed", "failed"
        self._counts = dict.fromkeys(outcomes, 0)
        self._paused_until = 0.0
        self._writer: threading.Thread | None = None

    def add(self, api: str, model: str, messages: Messages) -> None:
        """Logs a call that was answered, if it is drawn; raises nothing.

        Args:
          api: the method, as "Predict"; those that run no model are not logged.
          model: name of the model.
          messages: makes the request and the response, once the call is drawn.
        """
        target = self._target(model) if api in LOGGED else None
        if target is None or self._random.random() >= target.sampling_rate:
            return
        size = 0
        try:
            request, response = messages()
            size = request.ByteSize() + response.ByteSize() + _METADATA_BYTES
            if not self._reserve(size):  # before there are copies of both
                return
            pieces = prediction_log(api, request, response, target.sampling_rate)
            self._enqueue(_Entry(target.prefix, pieces, size))
        except Exception:  # the request has its answer, whatever becomes of the log
            self._count(size, "failed")
            _LOG.exception("A %s request to model %s cannot be logged", api, model)

    def metrics(self) -> Iterator[tuple[str, str, int]]:
        """Name, Prometheus' type and value of each metric."""
        with self._lock:
            counts, waiting = dict(self._counts), self._waiting
        yield "records", "counter", counts.pop("records")
        yield from ((f"dropped_{reason}", "counter", n) for reason, n in counts.items())
        yield "deleted_files", "counter", self._files.deleted
        yield "queue_bytes", "gauge", waiting

    def close(self) -> None:
        """Writes what is in the queue and finishes the files."""
        with self._lock:
            writer = self._writer
            self._queue.put(None)
        if writer is not None:
            writer.join(_STOP_SECONDS)
            if writer.is_alive():
                _LOG.error("The request log is not finished: the disk is too slow")

    def _reserve(self, size: int) -> bool:
        with self._lock:
            if self._waiting + size > self._queue_bytes:
                self._counts["queue_full"] += 1
                return False
            self._waiting += size
            return True

    def _enqueue(self, entry: _Entry) -> None:
        with self._lock:
            self._queue.put(entry)
            if self._writer is None:
                self._writer = threading.Thread(target=self._run, name="request log", daemon=True)
                self._writer.start()

    def _count(self, size: int, outcome: str) -> None:
        """Counts a record that no longer waits."""
        with self._lock:
            self._waiting -= size
            self._counts[outcome] += 1

    def _run(self) -> None:
        while True:
            try:
                entry = self._queue.get(timeout=_IDLE_SECONDS)
                if entry is None:
                    break
                self._count(entry.size, self._write(entry))
                del entry  # it may be large, and the next may be long in coming
            except queue.Empty:
                pass
            self._try(self._files.finish_old)
        self._try(self._files.close)

    def _write(self, entry: _Entry) -> str:
        """Writes a record and returns the name of its count."""
        if time.monotonic() < self._paused_until:
            return "disk_failed"
        written = self._try(lambda: self._files.write(entry.prefix, entry.pieces))
        if written is None:
            return "disk_failed"
        return "records" if written else "too_large"

    def _try(self, action: Callable[[], Any]) -> Any:
        """Does what the disk may refuse; then None, one line in the server's log, and a pause."""
        try:
            return action()
        except Exception as error:  # the thread must survive all that a disk can do
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            _LOG.error(
                "The request log is not written, and tried again in %d s: %s",
                _PAUSE_SECONDS,
                getattr(error, "message", error),
            )
            return None
