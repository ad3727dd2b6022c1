"""Bounds the connections of the REST port: how many, and how long each may take for its headers.

aiohttp has deadlines for neither. A `Connection` stands between the socket and aiohttp's protocol.
"""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import web

_LOG = logging.getLogger(__name__)


class Connections:
    """Makes the protocols of new connections: the factory for `loop.create_server`.

    Args:
      make_protocol: makes aiohttp's protocol for one connection.
      max_connections: at once. When there are so many, a new one ends the one that is the longest
        without a request; if all have one, the new one is refused.
      header_timeout: seconds until the headers of a request must be complete.
    """

    def __init__(
        self,
        make_protocol: Callable[[], asyncio.Protocol],
        *,
        max_connections: int,
        header_timeout: float,
    ):
        self._make_protocol = make_protocol
        self._max_connections = max_connections
        self.header_timeout = header_timeout
        self.idle: dict[Connection, None] = {}  # without a request, the longest first
        self.busy: set[Connection] = set()

    def __call__(self) -> "Connection":
        return Connection(self._make_protocol(), self)

    def has_room(self) -> bool:
        """Tells whether one more may come, and makes room for it if it can."""
        if len(self.idle) + len(self.busy) < self._max_connections:
            return True
        if not self.idle:
            _LOG.warning("Refused a connection: all %d have a request", self._max_connections)
            return False
        # One that never had a request goes before one that a good client keeps for its next.
        oldest = next((one for one in self.idle if not one.had_request), next(iter(self.idle)))
        oldest.abort()
        return True


class Connection(asyncio.Protocol):
    """One connection; it passes all to aiohttp's protocol."""

    def __init__(self, protocol: asyncio.Protocol, all_of_them: Connections):
        self._protocol = protocol
        self._all = all_of_them
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.had_request = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection, or ends it if there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        has_room = self._all.has_room()
        self._protocol.connection_made(transport)
        if has_room:
            self._all.idle[self] = None
            self._start_deadline()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._forget()
        self._protocol.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Starts the deadline at the first byte of a request."""
        if self._deadline is None and self in self._all.idle:
            self._start_deadline()
        self._protocol.data_received(data)

    def eof_received(self) -> bool | None:
        """Passes the end of the client's data."""
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        """Passes that the client reads slowly."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Passes that the client has read."""
        self._protocol.resume_writing()

    def start_request(self) -> None:
        """The headers of a request are complete."""
        self._stop_deadline()
        self.had_request = True
        if self._all.idle.pop(self, self) is None:
            self._all.busy.add(self)

    def end_request(self) -> None:
        """The answer is ready: what comes next is another request."""
        if self in self._all.busy:
            self._all.busy.remove(self)
            self._all.idle[self] = None

    def abort(self) -> None:
        """Ends the connection at once."""
        self._forget()
        if self._transport is not None:
            self._transport.abort()

    def _forget(self) -> None:
        self._stop_deadline()
        self._all.idle.pop(self, None)
        self._all.busy.discard(self)

    def _start_deadline(self) -> None:
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._all.header_timeout, self.abort)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


@web.middleware
async def mark_request(request: web.Request, handler: Callable) -> web.StreamResponse:
    """Tells the connection when a request has begun and ended."""
    transport = request.transport
    connection = transport.get_protocol() if transport is not None else None
    if not isinstance(connection, Connection):
        return await handler(request)
    connection.start_request()
    try:
        return await handler(request)
    finally:
        connection.end_request()
