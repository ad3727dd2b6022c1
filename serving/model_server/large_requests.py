"""Reads large requests without holding others up: what is large in them is not parsed here."""

from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2

from serving.model_server.large_bodies import unpack
from serving.model_server.predict import InputReaders
from serving.model_server.servable import Servable
from serving.model_server.side_process import SideProcess
from serving.model_server.tensor_contents import take_contents
from serving.protocol.status import StatusError, invalid_argument
from serving.protocol.tensors import unpack_or_invalid

LARGE_BYTES = 2**20
"""A message above this is large; JSON is above `json_text.MAX_EXACT`."""


class LargeRequests:
    """Reads large requests, most of them in a process of its own."""

    def __init__(self) -> None:
        self._process = SideProcess()

    def read_json(
        self, servable: Servable, text: bytes, deadline: float | None
    ) -> tuple[str, dict[str, np.ndarray], bool]:
        """Reads a predict request: the signature's name, the inputs, whether they are by row."""
        signatures = {
            name: {alias: info.dtype for alias, info in signature.inputs.items()}
            for name, signature in servable.signature_defs.items()
        }
        name, inputs, by_row = self._process.call(
            "read_json", np.frombuffer(text, np.uint8), signatures, deadline=deadline
        )
        return name, {alias: unpack(packed) for alias, packed in inputs.items()}, by_row

    def read_message(
        self, payload: bytes, max_bytes: int, deadline: float | None
    ) -> tuple[Any, InputReaders]:
        """Reads a serialized PredictRequest: itself without the inputs' values, and their readers.

        The `tensor_content` of an input stays where it is. What else there is, if it is much, is
        read in the other process.
        """
        try:
            rest, contents = take_contents(payload)
        except ValueError:
            rest, contents = payload, {}
        if len(rest) > LARGE_BYTES:
            bare, inputs = self._process.call(
                "read_message", np.frombuffer(payload, np.uint8), max_bytes, deadline=deadline
            )
            request = _parse(bare)
            return request, {alias: _reader(packed) for alias, packed in inputs.items()}
        request = _parse(rest)

        def read(alias: str) -> np.ndarray:
            content = contents.get(alias)
            return unpack_or_invalid(alias, request.inputs[alias], max_bytes, content)

        return request, {alias: lambda alias=alias: read(alias) for alias in request.inputs}

    def close(self) -> None:
        """Ends the process."""
        self._process.close()


def _parse(payload: bytes) -> Any:
    try:
        return predict_pb2.PredictRequest.FromString(payload)
    except DecodeError as error:
        raise invalid_argument("The payload is not a PredictRequest message") from error


def _reader(packed: Any) -> Any:
    def read() -> np.ndarray:
        if type(packed) is tuple:
            raise StatusError(*packed)
        return unpack(packed)

    return read
