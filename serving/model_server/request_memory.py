"""The memory of the requests in flight, of gRPC and REST together, and the time clients may take.

A request has a `Share`, to which its bytes are added before they are spent: its body, what the body
unpacks to, its answer. If all of them exceed the total, requests that wait for a slow client are
dropped, the oldest first, and only then is the new one refused: half a body holds nobody up.
"""

import logging
import threading
import time

from serving.model_server.process import resident_bytes, trim_memory
from serving.model_server.request_share import FIXED_BYTES, Share
from serving.protocol import status
from serving.protocol.status import StatusError

_LOG = logging.getLogger(__name__)

_SMALL_BYTES = 2**20  # requests up to this size may use the last tenth of the total
_LARGEST = 0.75  # of the total, for one request
_GRACE_SECONDS = 0.5  # a client that has waited less is not dropped to make room for another
_SHORT_GRACE_SECONDS = 0.2  # after which a client counts as slow, and between two that are dropped
_MAX_SLOW = 2000  # clients that have waited for longer than the grace
_TICK_SECONDS = 0.05
_QUIET_BYTES = 8 * 2**20  # of all requests; below this, freed memory is given back to the system,
_TRIM_ABOVE = 32 * 2**20  # if the process has grown by so much


class RequestMemory:
    """Bounds the memory of all requests in flight.

    Args:
      total: bytes for all requests.
      client_timeout: seconds that a client has to send a body, and to take its answer.
    """

    def __init__(self, total: int, client_timeout: float):
        self.total = total
        self.in_use = 0
        self._client_timeout = client_timeout
        self._shares: dict[Share, None] = {}  # oldest first
        self._lock = threading.Lock()
        self._at_rest = resident_bytes()
        self._trimmed = self._dropped = 0.0  # when last
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._watch_clients, name="clients", daemon=True)
        self._watch.start()

    def reserve(self, share: Share, size: int) -> None:
        """See `Share.add`."""
        if share.size + size > self.total * _LARGEST:
            raise self._too_large(share.size + size)
        limit = self.total if share.size + size <= _SMALL_BYTES else int(self.total * 0.9)
        with self._lock:
            dropped = self._make_room(size - (limit - self.in_use), share)
            has_room = self.in_use + size <= limit and share.why_dropped is None
            if has_room:
                self.in_use += size
                share.size += size
                self._shares[share] = None
            used = self.in_use
        for other in dropped:
            other.drop(other.dropped)  # type: ignore[arg-type]
        if error := share.dropped:
            raise error
        if not has_room:
            raise StatusError(
                status.RESOURCE_EXHAUSTED,
                f"The requests in flight take {_megabytes(used)} of the {_megabytes(self.total)} "
                f"that they may take together, which leaves no room for {_megabytes(size)}: try "
                "again later, or start the server with a larger --max-requests-memory-bytes",
            )

    def release(self, share: Share) -> None:
        """See `Share.release`."""
        with self._lock:
            self._take_back(share)

    def close(self) -> None:
        """Ends the thread that watches the clients."""
        self._closed.set()
        self._watch.join()

    def _take_back(self, share: Share) -> None:
        self.in_use -= share.size
        share.size = 0
        self._shares.pop(share, None)

    def _too_large(self, size: int) -> StatusError:
        return TooLarge(
            f"Received message larger than max: it would take {_megabytes(size)} of memory, and "
            f"one request may take {_megabytes(int(self.total * _LARGEST))}: send it in parts, as "
            "base64 or over gRPC, or start the server with a larger --max-requests-memory-bytes"
        )

    def _make_room(self, size: int, needed_by: Share) -> list[Share]:
        """Takes back the shares of slow clients until `size` bytes are free; under the lock."""
        dropped = []
        for share in self._waiting(_GRACE_SECONDS) if size > 0 else []:
            if size <= 0:
                break
            if share is not needed_by and share.size > 2 * FIXED_BYTES:  # others free nothing
                size -= share.size
                dropped.append(self._drop_slow(share, status.RESOURCE_EXHAUSTED))
        return dropped

    def _drop_slow(self, share: Share, code: int) -> Share:
        seconds = time.monotonic() - share.waits_since
        share.why_dropped = (
            code,
            f"The client did not {share.waits_for} within {seconds:.1f} s"
            + (
                f" (--client-timeout-seconds {self._client_timeout:g})"
                if code == status.DEADLINE_EXCEEDED
                else ", and others needed its place: try again later"
            ),
        )
        self._take_back(share)
        share.waits_for = ""
        return share

    def _waiting(self, seconds: float) -> list[Share]:
        before = time.monotonic() - seconds
        return [share for share in self._shares if share.waits_for and share.waits_since < before]

    def _watch_clients(self) -> None:
        before = time.monotonic()
        while not self._closed.wait(_TICK_SECONDS):
            now = time.monotonic()
            late, before = now - before - _TICK_SECONDS, now
            try:
                self._tick(late)
            except Exception:  # this thread must survive all faults
                _LOG.exception("The watch over the clients goes on")

    def _tick(self, late: float) -> None:
        """Drops clients that take too long, and gives freed memory back.

        The seconds by which this comes `late` the process itself was held up, and not the clients.

        gRPC tells the size of a message once it is complete. Until then only the memory of the
        process shows it: while that is beyond the total, the oldest slow clients are dropped.
        """
        resident = resident_bytes()
        with self._lock:
            for share in self._shares:
                share.waits_since += late
            waiting = self._waiting(self._client_timeout)
            dropped = [self._drop_slow(share, status.DEADLINE_EXCEEDED) for share in waiting]
            slow: list[Share] = []
            if resident > self._at_rest + self.total:
                # The memory of the one before is free only after a while.
                if time.monotonic() > self._dropped + _SHORT_GRACE_SECONDS:
                    slow = self._waiting(_GRACE_SECONDS)[:1]
            else:
                slow = self._waiting(_GRACE_SECONDS)[:-_MAX_SLOW]
            if slow:
                self._dropped = time.monotonic()
            dropped += [self._drop_slow(share, status.RESOURCE_EXHAUSTED) for share in slow]
            # A message that gRPC is still receiving is in no share, but its call waits.
            quiet = self.in_use < _QUIET_BYTES and not self._waiting(_SHORT_GRACE_SECONDS)
        for share in dropped:
            share.drop(share.dropped)  # type: ignore[arg-type]
        if quiet and not dropped:
            self._settle(resident)

    def _settle(self, resident: int) -> None:
        """Gives freed memory back, at most once a second, and notes what the process takes."""
        if resident > self._at_rest + _TRIM_ABOVE and time.monotonic() > self._trimmed + 1.0:
            trim_memory()
            self._trimmed, self._at_rest = time.monotonic(), resident_bytes()
        self._at_rest = min(self._at_rest, resident) or resident


class TooLarge(StatusError):
    """RESOURCE_EXHAUSTED for a request that no free memory would help; over REST it is a 413."""

    def __init__(self, message: str):
        super().__init__(status.RESOURCE_EXHAUSTED, message)


def message_too_large(size: int | None, limit: int) -> TooLarge:
    """The error for a body of `size` bytes (None: not known, as it is not read to its end)."""
    came = "it is longer" if size is None else f"{size} bytes came"
    return TooLarge(
        f"Received message larger than max ({limit} bytes, also after unpacking): {came}; send it "
        "in parts, or start the server with a larger --max-message-bytes"
    )


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
