"""Sends requests over gRPC, with message classes that need no TensorFlow."""

from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np

from serving.client.transport import Reply, Send, Signature, Tls, Transport, is_loopback, read_specs
from serving.protocol import messages
from serving.protocol.model_spec import ModelSpec, write_model_spec
from serving.protocol.status import StatusError
from serving.protocol.tensors import read_tensor, write_tensor

_OPTIONS = {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    # Reconnects to a restarted server within a second; gRPC's default is minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
}


class GrpcTransport(Transport):
    """A transport over one gRPC channel to host:port or unix:PATH, which threads may share."""

    def __init__(self, address: str, model: ModelSpec, tls: Tls | None = None):
        self._model = model
        options = list(_OPTIONS.items())
        if is_loopback(address.rpartition(":")[0].strip("[]")):
            options.append(("grpc.enable_http_proxy", 0))
        if tls is None:
            self._channel = grpc.insecure_channel(address, options)
        else:
            files = [
                path and path.read_bytes() for path in (tls.authority, tls.key, tls.certificate)
            ]
            credentials = grpc.ssl_channel_credentials(*files)
            self._channel = grpc.secure_channel(address, credentials, options)
        self._predict = self._method("Predict", messages.PredictResponse)
        self._metadata = self._method("GetModelMetadata", messages.GetModelMetadataResponse)

    def _method(self, name: str, response: Any) -> Any:
        return self._channel.unary_unary(
            f"/tensorflow.serving.PredictionService/{name}",
            response_deserializer=response.FromString,
        )

    def signatures(self, timeout: float) -> dict[str, Signature]:
        """Fetches the signatures with GetModelMetadata."""
        request: Any = messages.GetModelMetadataRequest(metadata_field=["signature_def"])
        write_model_spec(self._model, request.model_spec)
        reply = _call(self._metadata, request.SerializeToString(), timeout)
        table: Any = messages.SignatureDefMap.FromString(reply.metadata["signature_def"].value)
        return {
            name: Signature(read_specs(definition.inputs), read_specs(definition.outputs))
            for name, definition in table.signature_def.items()
        }

    def run(self, signature_name: str, inputs: Mapping[str, np.ndarray], timeout: float) -> Reply:
        """Sends one Predict request; `timeout` is in seconds."""
        return self.bind(signature_name, {})(inputs, timeout)

    def bind(self, signature_name: str, shared: Mapping[str, np.ndarray]) -> Send:
        """Encodes the shared inputs once: two serialised messages end to end are one message."""
        request: Any = messages.PredictRequest()
        write_model_spec(self._model, request.model_spec)
        request.model_spec.signature_name = signature_name
        encoded = _with_inputs(request, shared)

        def send(inputs: Mapping[str, np.ndarray], timeout: float) -> Reply:
            rest = _with_inputs(messages.PredictRequest(), inputs)
            reply = _call(self._predict, encoded + rest, timeout)
            outputs = {name: read_tensor(tensor) for name, tensor in reply.outputs.items()}
            return Reply(outputs, reply.model_spec.version.value)

        return send

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()


def _with_inputs(request: Any, inputs: Mapping[str, np.ndarray]) -> bytes:
    for name, array in inputs.items():
        write_tensor(array, request.inputs[name])
    return request.SerializeToString()


def _call(method: Any, request: bytes, timeout: float) -> Any:
    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise StatusError(error.code().value[0], error.details() or "") from error
