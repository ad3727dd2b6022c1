"""The messages of attacks: pictures of many pixels, requests, frames of HTTP/2."""

import struct
import zlib
from typing import Any

from benchmarks.serving.attack_target import SERVICE
from benchmarks.serving.running import MODEL_NAME
from serving.protocol import messages

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


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


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return (
        struct.pack(">I", len(payload))[1:]
        + bytes([kind, flags])
        + struct.pack(">I", stream)
        + payload
    )


def call_headers() -> bytes:
    """The headers of a Predict call, each a literal without index (RFC 7541, section 6.2.2)."""
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"{SERVICE}PredictionService/Predict",
        ":authority": "localhost",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    return b"".join(
        b"\0" + bytes([len(text)]) + text.encode() if place else bytes([len(text)]) + text.encode()
        for pair in headers.items()
        for place, text in zip((True, False), pair)
    )
