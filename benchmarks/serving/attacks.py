"""What a hostile client does to a server; each attack is a function of a `Target`.

An attack returns what it got, as texts, and leaves its sockets to `Target.close`.
"""

import gzip
import json
import socket
import struct
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import grpc

from benchmarks.serving.running import MODEL_NAME
from serving.protocol import messages

PREDICT = f"/v1/models/{MODEL_NAME}:predict"
_SERVICE = "/tensorflow.serving."
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


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
                channel.unary_unary(_SERVICE + method)(payload, timeout=60, **options)
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


def half_headers(target: Target, count: int = 400) -> list[str]:
    """Requests whose headers never end."""
    start = http_head(10)[:-2] + b"X-Slow: "
    return [f"{len([target.connect(target.rest_port, start) for _ in range(count)])} sockets"]


def half_bodies(target: Target, count: int = 40, size: int = 16 * 2**20) -> list[str]:
    """Bodies that stop in the middle."""
    body = http_head(2 * size) + b" " * size
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: target.connect(target.rest_port, body), range(count)))
    return [f"{count} bodies of {size} bytes"]


def aborted_uploads(target: Target, count: int = 20) -> list[str]:
    """Uploads that end in the middle."""
    for _ in range(count):
        target.connect(target.rest_port, http_head(1_000_000) + b" " * 1000).close()
    return [f"{count} uploads"]


def gzip_bombs(target: Target, count: int = 4) -> list[str]:
    """Small bodies that unpack to 60 MB, and one that says so of a gigabyte."""
    numbers = b'{"instances": [' + b"[0,0,0,0]," * 6_000_000 + b"0]}"
    bodies = [gzip.compress(numbers, 9)] * count + [gzip.compress(b" " * 2**30, 1)]
    return _at_once(
        lambda body: target.post(body, headers="Content-Encoding: gzip\r\n"), bodies, threads=4
    )


def wide_json(target: Target) -> list[str]:
    """Bodies of values that take thirty times their text."""
    bodies = [
        b'{"instances": [' + b"0," * 10_000_000 + b"0]}",
        b'{"instances": [' + b"[]," * 6_000_000 + b"[]]}",
        b'{"instances": [' + b'{"a":{}},' * 3_000_000 + b"0]}",
        b'{"inputs": {' + b",".join(b'"%d":0' % n for n in range(1_000_000)) + b"}}",
    ]
    return _at_once(target.post, bodies, threads=2)


def deep_json(target: Target) -> list[str]:
    """Bodies of a million levels."""
    nested = b"[" * 1_000_000
    return _at_once(
        target.post,
        [nested, b'{"instances": ' + nested, b'{"a":' * 500_000, b'{"instances": ' + nested + b"]"],
    )


def unread_pipeline(target: Target, count: int = 20) -> list[str]:
    """Requests by the thousand on one connection, whose answers nobody reads."""
    request = f"GET /v1/models/{MODEL_NAME}/metadata HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for _ in range(count):
        connection = target.connect(target.rest_port)
        connection.settimeout(0.2)
        with suppress(OSError):
            connection.sendall(request * 20_000)
    return [f"{count} connections"]


def unknown_names(target: Target, count: int = 1000) -> list[str]:
    """Models that do not exist, each with another name."""
    heads = [f"GET /v1/models/no-{n}{'x' * 500} HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(count)]
    connection = target.connect(target.rest_port)
    for head in heads:
        connection.sendall(head.encode())
        last = connection.recv(65536)
    return [last.partition(b"\r\n")[0].decode()]


def picture_bombs(target: Target) -> list[str]:
    """Small files of huge pictures: one, four, and a hundred that are each within the limit."""
    requests = [[png(10_000)], [png(20_000)] * 4, [png(7_000)] * 100]
    return _at_once(
        lambda files: target.call("PredictionService/Predict", encoded_request(files)), requests
    )


def huge_messages(target: Target, count: int = 24, size: int = 60 * 2**20) -> list[str]:
    """GRPC messages just below the limit of their size, many at once, and one above it."""
    request: Any = messages.PredictRequest()
    request.model_spec.name = MODEL_NAME
    tensor = request.inputs["query_x"]
    tensor.dtype = 4
    for dim in (1, size // 16, 4, 4, 1):
        tensor.tensor_shape.dim.add().size = dim
    tensor.tensor_content = bytes(size)
    payload = request.SerializeToString()
    answers = _at_once(
        lambda data: target.call("PredictionService/Predict", data), [payload] * count, threads=8
    )
    larger = payload + bytes(150 * 2**20)
    return [*answers, target.call("PredictionService/Predict", larger)]


def small_fields(target: Target) -> list[str]:
    """GRPC messages of millions of fields of no bytes: each becomes an object."""
    empty = {"strings": b"\x42\x00", "dims": b"\x12\x02\x12\x00", "filters": b"\x1a\x00"}
    payloads = []
    for name, field in empty.items():
        fields = field * (20_000_000 // len(field))
        if name != "filters":
            tensor = b"\x08\x07" + fields
            entry = b"\x0a\x07query_x\x12" + _varint(len(tensor)) + tensor
            fields = b"\x12" + _varint(len(entry)) + entry
        payloads.append(b"\x0a\x0a\x0a\x08few_shot" + fields)
    return _at_once(lambda data: target.call("PredictionService/Predict", data), payloads)


def idle_channels(target: Target, count: int = 1000) -> list[str]:
    """HTTP/2 connections without a call, and sockets that never say what they are."""
    for number in range(count):
        start = _PREFACE + _frame(4, 0, 0, b"") if number % 2 else b""
        target.connect(target.grpc_port, start)
    return [f"{count} connections"]


def half_messages(target: Target, count: int = 600) -> list[str]:
    """GRPC calls whose message stops in the middle."""
    for _ in range(count // 20):
        data = _PREFACE + _frame(4, 0, 0, b"")
        for stream in range(1, 40, 2):
            data += _frame(1, 4, stream, _call_headers())
            data += _frame(0, 0, stream, b"\0" + struct.pack(">I", 50_000_000) + bytes(2000))
        target.connect(target.grpc_port, data)
    return [f"{count} calls"]


def cancelled_calls(target: Target, count: int = 1000) -> list[str]:
    """GRPC calls that are cancelled at once."""
    for _ in range(count // 50):
        data = _PREFACE + _frame(4, 0, 0, b"")
        for stream in range(1, 100, 2):
            data += _frame(1, 4, stream, _call_headers())
            data += _frame(3, 0, stream, struct.pack(">I", 8))
        target.connect(target.grpc_port, data)
    return [f"{count} calls"]


def odd_reloads(target: Target, paths: Iterable[str] = ()) -> list[str]:
    """Configurations whose base paths are no folders of models; the old one must stay."""
    return [
        target.call("ModelService/HandleReloadConfigRequest", reload_request(path))
        for path in [
            *paths,
            "/proc",
            "",
            "relative",
            "/no/such",
            "/" + "x" * 5000,
            "/dev/null",
            "/a\0b",
        ]
    ]


ATTACKS: list[Callable[[Target], list[str]]] = [
    half_headers,
    half_bodies,
    aborted_uploads,
    gzip_bombs,
    wide_json,
    deep_json,
    unread_pipeline,
    unknown_names,
    picture_bombs,
    huge_messages,
    small_fields,
    idle_channels,
    half_messages,
    cancelled_calls,
    odd_reloads,
]


def png(side: int) -> bytes:
    """A grey png of `side` x `side` pixels, all black, without the memory of its pixels."""
    packer, row = zlib.compressobj(9), bytes(side + 1)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def encoded_request(queries: list[bytes], support: bytes | None = None) -> bytes:
    """A serialized request of `adapt_and_predict_encoded` with one class."""
    request: Any = messages.PredictRequest()
    request.model_spec.name = MODEL_NAME
    request.model_spec.signature_name = "adapt_and_predict_encoded"
    tensors = {"support_x": [support or png(4)], "support_labels": [b"a"], "query_x": queries}
    for name, values in tensors.items():
        tensor = request.inputs[name]
        tensor.dtype = 7
        tensor.tensor_shape.dim.add().size = 1
        tensor.tensor_shape.dim.add().size = len(values)
        tensor.string_val.extend(values)
    return request.SerializeToString()


def reload_request(path: str) -> bytes:
    """A serialized ReloadConfigRequest for one model at `path`."""
    from tensorflow_serving.apis import model_management_pb2

    request = model_management_pb2.ReloadConfigRequest()
    request.config.model_config_list.config.add(
        name=MODEL_NAME, base_path=path, model_platform="tensorflow"
    )
    return request.SerializeToString()


def _at_once(send: Callable, requests: list, threads: int = 4) -> list[str]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(send, requests))


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


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes([kind, flags])
        + struct.pack(">I", stream)
        + payload
    )


def _call_headers() -> bytes:
    """The headers of a Predict call, each a literal without index (RFC 7541, section 6.2.2)."""
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"{_SERVICE}PredictionService/Predict",
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    return b"".join(
        b"\0" + bytes([len(text)]) + text.encode() if place else bytes([len(text)]) + text.encode()
        for pair in headers.items()
        for place, text in zip((True, False), pair)
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
