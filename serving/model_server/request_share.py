"""The memory of one request in flight, and whether it waits for its client."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from serving.protocol.status import StatusError

Drop = Callable[[StatusError], None]

FIXED_BYTES = 16 * 1024
"""Of a request, however small."""


class Account(Protocol):
    """What a share reserves its bytes from: `request_memory.RequestMemory`."""

    def reserve(self, share: "Share", size: int) -> None:
        """Reserves bytes, or raises RESOURCE_EXHAUSTED."""
        ...

    def release(self, share: "Share") -> None:
        """Takes all bytes of the share back."""
        ...


class Share:
    """The memory of one request; `size` in bytes."""

    def __init__(self, memory: Account):
        self._memory = memory
        self.size = 0
        self.why_dropped: tuple[int, str] | None = None  # code and sentence
        self.waits_for = ""
        self.waits_since = 0.0
        self.drop: Drop = _ignore

    @property
    def dropped(self) -> StatusError | None:
        """The error of a request that was dropped; a new one each time.

        An error holds the frames that it went through. Kept here, it would keep the body alive.
        """
        return None if self.why_dropped is None else StatusError(*self.why_dropped)

    def open(self) -> None:
        """Reserves what any request takes."""
        self.add(FIXED_BYTES)

    def add(self, size: int) -> None:
        """Reserves `size` bytes more; RESOURCE_EXHAUSTED if there is no room."""
        self._memory.reserve(self, size)

    def keep(self, size: int) -> None:
        """Gives all but `size` bytes back, or reserves what is missing."""
        self.add(size - self.size)

    def release(self) -> None:
        """Gives all of it back; may be called twice."""
        self._memory.release(self)

    @contextmanager
    def wait_for_client(self, what: str, drop: Drop) -> Iterator[None]:
        """Tells that the block waits for the client; `drop` ends it, from any thread.

        Args:
          what: for the error, "the body" or "the answer".
          drop: gets the error; the block must end soon after it.
        """
        self.start_wait(what, drop)
        try:
            yield
        finally:
            self.end_wait()

    def start_wait(self, what: str, drop: Drop) -> None:
        """The beginning of `wait_for_client`, where the end is in another function."""
        self.drop, self.waits_since, self.waits_for = drop, time.monotonic(), what

    def end_wait(self) -> None:
        """The end of `wait_for_client`."""
        self.waits_for = ""


def _ignore(error: StatusError) -> None:
    return None
