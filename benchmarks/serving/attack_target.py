"""A server under attack, over sockets and gRPC."""

import json
import socket
from contextlib import suppress
from typing import Any

import grpc

from benchmarks.serving.running import MODEL_NAME

PREDICT = f"/v1/models/{MODEL_NAME}:predict"
SERVICE = "/tensorflow.serving."


class Target:
    """A server under attack, with the sockets that the attacks hold open."""

    def __init__(self, grpc_port: int, rest_port: int):
        self.grpc_port = grpc_port
        self.rest_port = rest_port
        self._sockets: list[socket.socket] = []

    def connect(self, port: int, start: bytes = b"") -> socket.socket:
        """Opens a socket that sends `start` and then stays."""
        connection = socket.create_connection(("localhost", port), timeout=20)
        self._sockets.append(connection)
        with suppress(OSError):  # the server ended it: its right
            connection.sendall(start)
        return connection

    def post(self, body: bytes, path: str = PREDICT, headers: str = "") -> str:
        """Posts a body and returns the first line and the end of the answer."""
        return answer(self.connect(self.rest_port, http_head(len(body), path, headers) + body))

    def call(self, method: str, payload: bytes, **options: Any) -> str:
        """Makes a gRPC call and returns its status and message."""
        size = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"localhost:{self.grpc_port}", options=size) as channel:
            try:
                channel.unary_unary(SERVICE + method)(payload, timeout=60, **options)
            except grpc.RpcError as error:
                return f"{error.code().name} {error.details()}"  # type: ignore[attr-defined]
        return "OK"

    def count_open(self) -> int:
        """Counts the sockets that the server has not ended."""
        return sum(not _is_ended(connection) for connection in self._sockets)

    def close(self) -> None:
        """Closes all sockets."""
        for connection in self._sockets:
            connection.close()
        self._sockets.clear()


def http_head(length: int, path: str = PREDICT, headers: str = "") -> bytes:
    """The headers of a POST."""
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{headers}\r\n".encode()


def answer(connection: socket.socket) -> str:
    """Reads an answer: its status and its error, or the beginning of its body."""
    data = b""
    try:
        while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < 10:
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
    except OSError as error:
        return f"{type(error).__name__} {data[:100]!r}"
    head, _, body = data.partition(b"\r\n\r\n")
    try:
        text = json.loads(body)["error"]
    except (ValueError, KeyError):
        text = repr(body[:300])
    return f"{head.partition(b' ')[2][:3].decode()} {text}"


def _is_ended(connection: socket.socket) -> bool:
    try:
        connection.setblocking(False)
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
