"""What a hostile client does to a server; each attack is a function of a `Target`.

An attack returns what it got, as texts, and leaves its sockets to `Target.close`.
"""

import gzip
import struct
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from benchmarks.serving.attack_requests import (
    PREFACE,
    call_headers,
    encoded_request,
    frame,
    png,
    reload_request,
)
from benchmarks.serving.attack_target import Target, http_head
from benchmarks.serving.running import MODEL_NAME
from serving.protocol import messages
from serving.protocol.tensors import varint


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
            entry = b"\x0a\x07query_x\x12" + varint(len(tensor)) + tensor
            fields = b"\x12" + varint(len(entry)) + entry
        payloads.append(b"\x0a\x0a\x0a\x08few_shot" + fields)
    return _at_once(lambda data: target.call("PredictionService/Predict", data), payloads)


def idle_channels(target: Target, count: int = 1000) -> list[str]:
    """HTTP/2 connections without a call, and sockets that never say what they are."""
    for number in range(count):
        start = PREFACE + frame(4, 0, 0, b"") if number % 2 else b""
        target.connect(target.grpc_port, start)
    return [f"{count} connections"]


def half_messages(target: Target, count: int = 600) -> list[str]:
    """GRPC calls whose message stops in the middle."""
    for _ in range(count // 20):
        data = PREFACE + frame(4, 0, 0, b"")
        for stream in range(1, 40, 2):
            data += frame(1, 4, stream, call_headers())
            data += frame(0, 0, stream, b"\0" + struct.pack(">I", 50_000_000) + bytes(2000))
        target.connect(target.grpc_port, data)
    return [f"{count} calls"]


def cancelled_calls(target: Target, count: int = 1000) -> list[str]:
    """GRPC calls that are cancelled at once."""
    for _ in range(count // 50):
        data = PREFACE + frame(4, 0, 0, b"")
        for stream in range(1, 100, 2):
            data += frame(1, 4, stream, call_headers())
            data += frame(3, 0, stream, struct.pack(">I", 8))
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


def _at_once(send: Callable, requests: list, threads: int = 4) -> list[str]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(send, requests))
