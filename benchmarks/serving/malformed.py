"""Malformed requests over REST or gRPC, one function for each kind."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import grpc
import numpy as np
import requests

from benchmarks.serving.running import MODEL_NAME, predict_request
from serving.saved_model import signatures as names

TIMEOUT = 20.0  # seconds without an answer are a hang


class Refusal(NamedTuple):
    """The reply to a malformed request.

    Attributes:
      is_error: whether the server refused the request.
      message: the text of the error.
    """

    is_error: bool
    message: str


class Server(NamedTuple):
    """A server under test.

    Attributes:
      channel: a gRPC channel to it.
      url: the URL of its REST port.
      good: the inputs of a valid request.
    """

    channel: grpc.Channel
    url: str
    good: dict[str, np.ndarray]

    def post(self, body: bytes, path: str = f"/v1/models/{MODEL_NAME}:predict") -> Refusal:
        """Sends a body over REST."""
        response = requests.post(self.url + path, data=body, timeout=TIMEOUT)
        return Refusal(response.status_code != 200, response.json().get("error", ""))

    def call(self, payload: bytes, method: str = "PredictionService/Predict") -> Refusal:
        """Sends a message over gRPC; no reply in time counts as no error."""
        try:
            self.channel.unary_unary(f"/tensorflow.serving.{method}")(payload, timeout=TIMEOUT)
        except grpc.RpcError as error:
            hung = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            return Refusal(not hung, error.details() or "")
        return Refusal(False, "")


def _columns(inputs: dict) -> dict[str, Any]:
    return {name: array.tolist() for name, array in inputs.items()}


def _pick(rng: np.random.Generator, good: dict) -> str:
    return str(rng.choice(sorted(good)))


# Each function takes a server and random numbers, and sends one malformed request.


def truncated_grpc(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a gRPC message that is cut off."""
    payload = predict_request(server.good).SerializeToString()
    return server.call(payload[: rng.integers(1, len(payload) - 1)])


def random_bytes_grpc(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends random bytes as a gRPC message."""
    return server.call(b"\xff" + rng.bytes(rng.integers(1, 200)))


def truncated_rest(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a JSON body that is cut off."""
    body = json.dumps({"inputs": _columns(server.good)}).encode()
    return server.post(body[: rng.integers(0, len(body) - 1)])


def random_bytes_rest(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends random bytes as a JSON body."""
    return server.post(rng.bytes(rng.integers(0, 200)))


def wrong_dtype(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends one input with another dtype."""
    name = _pick(rng, server.good)
    wrong = np.dtype(rng.choice(["float32", "float64", "int64", "int16"]))
    return server.call(
        predict_request(server.good | {name: server.good[name].astype(wrong)}).SerializeToString()
    )


def wrong_rank(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends one input with a dimension too many or too few."""
    name = _pick(rng, server.good)
    array = server.good[name]
    wrong = array[0] if rng.random() < 0.5 else array[None]
    return server.call(predict_request(server.good | {name: wrong}).SerializeToString())


def wrong_example_shape(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends images of another size."""
    name = str(rng.choice([names.SUPPORT_X, names.QUERY_X]))
    wrong = server.good[name][:, :, : rng.integers(1, server.good[name].shape[2])]
    return server.call(predict_request(server.good | {name: wrong}).SerializeToString())


def scalar(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a scalar as one input."""
    name = _pick(rng, server.good)
    wrong = server.good[name].ravel()[:1].reshape(())
    return server.call(predict_request(server.good | {name: wrong}).SerializeToString())


def huge_shape(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a tensor that claims more elements than any memory holds."""
    request = predict_request(server.good)
    tensor = request.inputs[_pick(rng, server.good)]
    tensor.tensor_shape.dim[0].size = int(rng.integers(2**40, 2**62))
    if rng.random() < 0.5:
        tensor.tensor_content = b""  # absent values would be filled in
    return server.call(request.SerializeToString())


def negative_shape(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a tensor with a negative size."""
    request = predict_request(server.good)
    request.inputs[_pick(rng, server.good)].tensor_shape.dim[0].size = -int(rng.integers(1, 9))
    return server.call(request.SerializeToString())


def unknown_type(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a tensor of a type that the server does not know."""
    request = predict_request(server.good)
    request.inputs[_pick(rng, server.good)].dtype = int(rng.choice([0, 8, 20, 21, 99, 101]))
    return server.call(request.SerializeToString())


def episodes_that_differ(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends inputs with different numbers of episodes."""
    name = _pick(rng, server.good)
    wrong = np.repeat(server.good[name], rng.integers(2, 5), axis=0)
    return server.call(predict_request(server.good | {name: wrong}).SerializeToString())


def empty_support(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a support set without examples."""
    del rng
    empty = {k: server.good[k][:, :0] for k in (names.SUPPORT_X, names.SUPPORT_Y)}
    return server.call(predict_request(server.good | empty).SerializeToString())


def labels_out_of_range(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a label that is no class."""
    labels = server.good[names.SUPPORT_Y].copy()
    labels[0, rng.integers(labels.shape[1])] = rng.choice([-2, -(2**31), 1000, 2**31 - 1])
    return server.call(predict_request(server.good | {names.SUPPORT_Y: labels}).SerializeToString())


def not_a_number(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends NaN or infinity in JSON."""
    columns = _columns(server.good)
    columns[_pick(rng, server.good)] = [[float(rng.choice([np.nan, np.inf, -np.inf]))]]
    return server.post(json.dumps({"inputs": columns}).encode())


def unknown_signature(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends the name of a signature that the model lacks."""
    name = f"signature-{rng.integers(1000)}"
    if rng.random() < 0.5:
        return server.call(predict_request(server.good, name).SerializeToString())
    return server.post(json.dumps({"signature_name": name, "inputs": {}}).encode())


def unknown_model(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends the name of a model that the server lacks."""
    return server.post(b'{"inputs": {}}', f"/v1/models/model-{rng.integers(10**9)}:predict")


def bad_path(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a request to a path that is none of the API's."""
    return server.post(b"{}", f"/v1/{rng.bytes(6).hex()}/%ff%00/:predict")


def bad_utf8(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends JSON that is not UTF-8."""
    return server.post(b'{"inputs": {"\xff' + rng.bytes(4).hex().encode() + b'": 1}}')


def nested_json(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends JSON nested thousands of levels deep."""
    depth = int(rng.integers(40, 20_000))
    opening = b"[" * depth + b"]" * depth if rng.random() < 0.5 else b"[" * depth
    return server.post(b'{"inputs": {"support_x": ' + opening + b"}}")


def ragged_json(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends lists of different lengths as one tensor."""
    columns = _columns(server.good)
    columns[names.SUPPORT_Y][0] = [0, [1], 2] if rng.random() < 0.5 else [[0, 1], [2]]
    return server.post(json.dumps({"inputs": columns}).encode())


def wrong_json_type(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a JSON value that is not a label."""
    columns = _columns(server.good)
    wrong: list[Any] = ["x", None, True, 0.5, 10**30, {"a": 1}, {"b64": "eA=="}]
    columns[names.SUPPORT_Y][0][0] = wrong[rng.integers(len(wrong))]
    return server.post(json.dumps({"inputs": columns}).encode())


def missing_input(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends a request without one of its inputs."""
    without = {k: v for k, v in server.good.items() if k != _pick(rng, server.good)}
    if len(without) == len(server.good):
        without.popitem()
    if rng.random() < 0.5:
        return server.call(predict_request(without).SerializeToString())
    return server.post(json.dumps({"inputs": _columns(without)}).encode())


def no_picture(server: Server, rng: np.random.Generator) -> Refusal:
    """Sends strings that are not encoded images."""
    strings = np.array([[rng.bytes(20), b""]], object)
    labels = np.array([[b"a", b"b"]], object)
    inputs = {names.SUPPORT_X: strings, names.SUPPORT_LABELS: labels, names.QUERY_X: strings}
    return server.call(predict_request(inputs, names.ENCODED).SerializeToString())


KINDS: list[Callable[[Server, np.random.Generator], Refusal]] = [
    truncated_grpc,
    random_bytes_grpc,
    truncated_rest,
    random_bytes_rest,
    wrong_dtype,
    wrong_rank,
    wrong_example_shape,
    scalar,
    huge_shape,
    negative_shape,
    unknown_type,
    episodes_that_differ,
    empty_support,
    labels_out_of_range,
    not_a_number,
    unknown_signature,
    unknown_model,
    bad_path,
    bad_utf8,
    nested_json,
    ragged_json,
    wrong_json_type,
    missing_input,
    no_picture,
]
