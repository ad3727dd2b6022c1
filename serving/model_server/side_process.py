"""A process beside the server that reads large requests.

Python's parsers hold the interpreter until they are done, a second for 10 MB of JSON, and no other
request is answered meanwhile. In a process of its own, which gives way to the server, they hold up
only other large requests.
"""

import os
import pickle
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from serving.protocol.status import (
    DEADLINE_EXCEEDED,
    RESOURCE_EXHAUSTED,
    UNAVAILABLE,
    StatusError,
)

_MAIN = "from serving.model_server.large_bodies import main; main(%d)"
_SECONDS = 60.0  # for a call without a deadline
_NICENESS = 10

Function = Callable[..., Any]


class SideProcess:
    """Calls functions in a process that is started at the first call, and again if it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._socket: socket.socket | None = None

    def call(self, function: str, *arguments: Any, deadline: float | None) -> Any:
        """Calls a function of `large_bodies` there, one call at a time.

        Args:
          function: its name there.
          arguments: what can be pickled; PickleBuffer for bytes that are not to be copied.
          deadline: on `time.monotonic`'s clock.

        Raises:
          StatusError: that of the function; or the process is busy until the deadline, or died.
        """
        latest = deadline or time.monotonic() + _SECONDS
        if not self._lock.acquire(timeout=max(0.0, latest - time.monotonic())):
            raise StatusError(
                RESOURCE_EXHAUSTED,
                "Other large requests were read until the deadline of this one: try again later, "
                "or send it in parts",
            )
        try:
            connection = self._connect()
            connection.settimeout(max(0.001, latest - time.monotonic()))
            send(connection, (function, arguments))
            error, result = receive(connection)
        except TimeoutError as late:
            self._end()
            raise StatusError(DEADLINE_EXCEEDED, "Deadline Exceeded") from late
        except (OSError, EOFError) as end:
            self._end()
            raise StatusError(
                UNAVAILABLE,
                "The process that reads large requests ended while it read this one: try again, "
                "or send it in parts",
            ) from end
        finally:
            self._lock.release()
        if error is not None:
            raise StatusError(*error)
        return result

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    def _connect(self) -> socket.socket:
        if self._socket is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _MAIN % theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl-C is for the server
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                )
            self._socket = ours
        return self._socket

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def serve(number: int, functions: Mapping[str, Function], after_each: Callable[[], None]) -> None:
    """Runs the functions that are asked for over the socket `number`, until the server ends."""
    os.nice(_NICENESS)
    with socket.socket(fileno=number) as connection:
        while True:
            try:
                name, arguments = receive(connection)
            except (EOFError, OSError):
                return
            send(connection, _outcome(functions[name], arguments))
            del arguments
            after_each()


def _outcome(function: Function, arguments: tuple) -> tuple[tuple[int, str] | None, Any]:
    try:
        return None, function(*arguments)
    except StatusError as error:
        return (error.code, error.message), None
    except MemoryError:
        return (RESOURCE_EXHAUSTED, "No memory to read the request: send it in parts"), None


def send(connection: socket.socket, value: Any) -> None:
    """Sends a value; the contents of arrays are not copied before."""
    buffers: list[Any] = []
    head = pickle.dumps(value, 5, buffer_callback=lambda buffer: buffers.append(buffer.raw()))
    pieces = [head, *buffers]
    sizes = [memoryview(piece).nbytes for piece in pieces]
    connection.sendall(struct.pack(f">I{len(sizes)}Q", len(sizes), *sizes))
    for piece in pieces:
        connection.sendall(piece)


def receive(connection: socket.socket) -> Any:
    """Receives a value; EOFError at the end of the connection."""
    (count,) = struct.unpack(">I", _read(connection, 4))
    sizes = struct.unpack(f">{count}Q", _read(connection, 8 * count))
    head, *buffers = [_read(connection, size) for size in sizes]
    return pickle.loads(head, buffers=buffers)


def _read(connection: socket.socket, size: int) -> memoryview:
    view = np.empty(size, np.uint8).data
    start = 0
    while start < size:
        got = connection.recv_into(view[start:])
        if not got:
            raise EOFError
        start += got
    return view
