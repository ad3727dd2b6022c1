"""Reads the bodies of REST requests and sends the answers, within time and memory."""

import asyncio
import logging
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from aiohttp import web

from serving.model_server.request_memory import TooLarge, message_too_large
from serving.model_server.request_share import Share
from serving.protocol.status import CANCELLED, StatusError, invalid_argument

_LOG = logging.getLogger(__name__)
_LARGE_BYTES = 2**18
_LARGE_PACKED_BYTES = 2**12
_PIECE = 2**20  # bytes that are unpacked at a time
# A body of more than a few megabytes that unpacks to more than so many times its size is a bomb:
# numbers in JSON shrink 3 to 30 times, and blank pictures by less.
_MAX_RATIO = 100
_FREE_OF_RATIO = 4 * 2**20


class Body(NamedTuple):
    """The body of a request, with the share that its bytes count to."""

    data: bytes  # as received
    encoding: str  # the Content-Encoding; empty for none
    share: Share
    max_bytes: int

    @property
    def is_large(self) -> bool:
        """Tells whether it must wait for other large ones, so that small ones need not."""
        return len(self.data) > (_LARGE_PACKED_BYTES if self.encoding else _LARGE_BYTES)

    def unpacked(self) -> bytes:
        """Decompresses it piece by piece, up to the limit: a small one may expand to any size."""
        encoding = self.encoding.strip().lower()
        if encoding in ("", "identity"):
            return self.data
        if encoding != "gzip":
            raise invalid_argument(f"Content-Encoding must be gzip; got {self.encoding}")
        return b"".join(self._inflate())

    def _inflate(self) -> Iterator[bytes]:
        most = min(self.max_bytes, max(_FREE_OF_RATIO, _MAX_RATIO * len(self.data)))
        unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        data, total = self.data, 0
        while not unpacker.eof:
            try:
                piece = unpacker.decompress(data, _PIECE)
            except zlib.error as error:
                raise invalid_argument(f"The body is not gzip: {error}") from error
            if not piece and not unpacker.eof:
                raise invalid_argument("The body is not gzip: it is cut off")
            data, total = unpacker.unconsumed_tail, total + len(piece)
            if total > self.max_bytes:
                raise message_too_large(None, self.max_bytes)
            if total > most:
                raise TooLarge(
                    f"Received message larger than max: {len(self.data)} bytes of gzip unpack to "
                    f"more than {most} bytes, which is more than {_MAX_RATIO} times as many; send "
                    "the body uncompressed"
                )
            self.share.add(2 * len(piece))  # and once more when the pieces are joined
            yield piece


async def receive(request: web.Request, share: Share, max_bytes: int) -> Body:
    """Reads a body.

    Raises:
      StatusError: it is larger than `max_bytes`, there is no room, it did not come in time, or the
        client has gone, which a line in the log says.
    """
    length = request.content_length
    if (length or 0) > max_bytes:
        raise message_too_large(length, max_bytes)
    pieces: list[bytes] = []
    size, reading = 0, True
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # in a coroutine

    def cancel() -> None:
        if reading:
            task.cancel()

    def drop(error: StatusError) -> None:
        loop.call_soon_threadsafe(cancel)

    with share.wait_for_client("send the body", drop):
        try:
            async for piece in request.content.iter_any():
                size += len(piece)
                if size > max_bytes:
                    raise message_too_large(None, max_bytes)
                share.add(2 * len(piece))  # and once more when the pieces are joined
                pieces.append(piece)
            data = b"".join(pieces)
        except asyncio.CancelledError:
            error = share.dropped
            if error is None:
                raise
            task.uncancel()
            raise error from None
        except (OSError, web.RequestPayloadError) as error:
            whole = "an unknown number" if length is None else length
            where = f"from {request.remote} to {request.path[:200]!r}"
            _LOG.warning("An upload %s ended after %d of %s bytes", where, size, whole)
            request.protocol.force_close()
            raise StatusError(CANCELLED, "The upload ended early") from error
        finally:
            reading = False
            pieces.clear()  # an error holds this frame, and aiohttp the error
    return Body(data, request.headers.get("Content-Encoding", ""), share, max_bytes)


async def send(request: web.Request, response: web.Response, share: Share) -> None:
    """Sends an answer; a client that does not take it in time is cut off."""
    loop = asyncio.get_running_loop()

    def drop(error: StatusError) -> None:
        if request.transport is not None:
            loop.call_soon_threadsafe(request.transport.abort)

    with share.wait_for_client("take the answer", drop):
        try:
            await response.prepare(request)
            await response.write_eof()
        except OSError:
            return  # the client has gone
