"""Reads large requests without holding others up: what is large in them is not parsed here."""

from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2

from serving.model_server.large_bodies import Signatures, unpack
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
        self, found: Servable | StatusError, text: bytes, deadline: float | None
    ) -> tuple[str, dict[str, np.ndarray], bool]:
        """Reads a predict request: the signature's name, the inputs, whether they are by row.

        Args:
          found: the model, or the error to raise where the text has no error before it.
          text: the JSON.
          deadline: on `time.monotonic`'s clock.
        """
        model = (found.code, found.message) if isinstance(found, StatusError) else _types(found)
        name, inputs, by_row = self._process.call(
            "read_json", np.frombuffer(text, np.uint8), model, deadline=deadline
        )
        return name, _unpacked(inputs), by_row

    def read_examples(self, text: bytes, deadline: float | None) -> tuple[str, bytes]:
        """Reads a classify or regress request: the signature's name, the Input, serialized."""
        array = np.frombuffer(text, np.uint8)
        name, message = self._process.call("read_examples", array, deadline=deadline)
        return name, message.tobytes()

    def read_inference(
        self, servable: Servable, text: bytes, raw: bytes, deadline: float | None
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Reads a request of the Open Inference Protocol: itself without inputs, and these."""
        arrays = np.frombuffer(text, np.uint8), np.frombuffer(raw, np.uint8)
        document, inputs = self._process.call(
            "read_inference", *arrays, _types(servable), deadline=deadline
        )
        return document, _unpacked(inputs)

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


def _types(servable: Servable) -> Signatures:
    return {
        name: {alias: info.dtype for alias, info in signature.inputs.items()}
        for name, signature in servable.signature_defs.items()
    }


def _unpacked(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    return {alias: unpack(packed) for alias, packed in inputs.items()}


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
