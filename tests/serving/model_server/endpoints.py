"""Plain requests, made with nothing of the project's client: what any client would send."""

import json
from typing import Any, NamedTuple

import grpc
import requests
from tensorflow_serving.apis import predict_pb2

from serving.protocol.tensors import as_array, read_tensor, write_tensor


class Endpoint(NamedTuple):
    """A server under test: `host:port` of gRPC and the URL of REST."""

    address: str
    url: str

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return _read(requests.post(self.url + path, data=data, headers=headers, timeout=30))

    def get(self, path: str) -> tuple[int, Any]:
        return _read(requests.get(self.url + path, timeout=30))

    def call(self, method: str, payload: bytes, timeout: float = 30.0) -> bytes:
        with grpc.insecure_channel(self.address) as channel:
            return channel.unary_unary(f"/tensorflow.serving.{method}")(payload, timeout=timeout)

    def predict(self, request: predict_pb2.PredictRequest, **options) -> Any:
        reply = self.call("PredictionService/Predict", request.SerializeToString(), **options)
        return predict_pb2.PredictResponse.FromString(reply)


def endpoint(server: Any) -> Endpoint:
    return Endpoint(f"localhost:{server.port}", f"http://localhost:{server.rest_port}")


def predict_request(inputs, *, model="few_shot", signature="", version=None, label="", outputs=()):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    for name, values in inputs.items():
        write_tensor(as_array(values), request.inputs[name])
    return request


def outputs(response: Any) -> dict:
    return {name: read_tensor(tensor) for name, tensor in response.outputs.items()}


def as_lists(inputs) -> dict:
    return {name: array.tolist() for name, array in inputs.items()}


def _read(response: requests.Response) -> tuple[int, Any]:
    return response.status_code, json.loads(response.text)
