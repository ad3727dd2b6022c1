"""Reads large requests, in a process of its own that has no TensorFlow: see `side_process`."""

import gc
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from serving.model_server.process import trim_memory
from serving.model_server.rest import examples_json, open_inference_tensors
from serving.model_server.rest.json_text import read_body
from serving.model_server.rest.predict_json import PredictBody, read_request
from serving.model_server.side_process import serve
from serving.protocol.messages import PredictRequest
from serving.protocol.status import StatusError, invalid_argument
from serving.protocol.tensors import unpack_or_invalid

Signatures = Mapping[str, Mapping[str, int]]  # types of inputs, by name, by name of the signature


class Strings(NamedTuple):
    """An array of strings as two arrays, which pass from process to process without a copy."""

    joined: np.ndarray  # uint8
    ends: np.ndarray  # int64, of each string in `joined`
    shape: tuple[int, ...]


class Input(NamedTuple):
    """What `read_tensors` needs to know of a TensorInfo."""

    dtype: int


def read_json(
    text: np.ndarray, model: Signatures | tuple[int, str]
) -> tuple[str, dict[str, Any], bool]:
    """Reads the JSON of a predict request: the signature's name, the inputs, whether by row.

    `model` is code and message of its error if there is none.
    """

    def inputs_of(name: str) -> dict[str, Input] | None:
        if isinstance(model, tuple):
            raise StatusError(*model)
        return _inputs(model).get(name)

    def read(document: dict[str, Any], exact: bool) -> tuple[str, PredictBody]:
        return read_request(document, inputs_of, exact=exact)

    name, body = read_body(text.tobytes(), read)
    return name, {alias: pack(array) for alias, array in body.inputs.items()}, body.by_row


def _inputs(signatures: Signatures) -> dict[str, dict[str, Input]]:
    return {
        name: {alias: Input(number) for alias, number in types.items()}
        for name, types in signatures.items()
    }


def read_examples(text: np.ndarray) -> tuple[str, np.ndarray]:
    """Reads the JSON of a classify or regress request: the signature's name, the Input's bytes."""
    name, message = examples_json.read_request(text.tobytes())
    return name, np.frombuffer(message, np.uint8)


def read_inference(
    text: np.ndarray, raw: np.ndarray, signatures: Signatures
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reads a request of the Open Inference Protocol: the JSON without inputs, and the inputs."""
    document, arrays = open_inference_tensors.read_request(
        text.tobytes(), raw.tobytes(), _inputs(signatures)
    )
    return document, {alias: pack(array) for alias, array in arrays.items()}


def read_message(payload: np.ndarray, max_bytes: int) -> tuple[bytes, dict[str, Any]]:
    """Reads a PredictRequest: itself without inputs, and the inputs by name.

    For an input that is no tensor there are code and message of its error.
    """
    try:
        request: Any = PredictRequest.FromString(payload.tobytes())
    except DecodeError as error:
        raise invalid_argument("The payload is not a PredictRequest message") from error
    inputs: dict[str, Any] = {}
    for alias, tensor in request.inputs.items():
        try:
            inputs[alias] = pack(unpack_or_invalid(alias, tensor, max_bytes))
        except StatusError as error:
            inputs[alias] = error.code, error.message
    request.ClearField("inputs")
    return request.SerializeToString(), inputs


def pack(array: np.ndarray) -> np.ndarray | Strings:
    """Makes an array fit for the other process."""
    if array.dtype != object:
        return np.ascontiguousarray(array)
    strings = array.ravel().tolist()
    ends = np.cumsum(np.fromiter(map(len, strings), np.int64, len(strings)))
    return Strings(np.frombuffer(b"".join(strings), np.uint8), ends, array.shape)


def unpack(packed: np.ndarray | Strings) -> np.ndarray:
    """Makes the array again."""
    if not isinstance(packed, Strings):
        return packed
    view, start = memoryview(packed.joined.data), 0
    flat = np.empty(len(packed.ends), object)
    for number, end in enumerate(packed.ends):
        flat[number] = view[start:end].tobytes()
        start = end
    return flat.reshape(packed.shape)


def _tidy() -> None:
    gc.collect()  # errors hold their frames
    trim_memory()


def main(socket_number: int) -> None:
    """Is the other process."""
    gc.disable()  # the lists of a document are no cycles
    functions = read_json, read_examples, read_inference, read_message
    serve(socket_number, {function.__name__: function for function in functions}, _tidy)
