"""The messages of a request log: a PredictionLog, and the requests that came as JSON."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tensorflow_serving.apis import (
    classification_pb2,
    logging_pb2,
    predict_pb2,
    prediction_log_pb2,
    regression_pb2,
)

from serving.model_server.examples import fill_model_spec
from serving.model_server.servable import Servable
from serving.protocol.tensors import varint, write_tensor

_FIELDS = {
    "Predict": "predict_log",
    "Classify": "classify_log",
    "Regress": "regress_log",
    "MultiInference": "multi_inference_log",
}
LOGGED = frozenset(_FIELDS)
"""The methods whose requests are logged."""
_NUMBERS = {
    api: prediction_log_pb2.PredictionLog.DESCRIPTOR.fields_by_name[name].number
    for api, name in _FIELDS.items()
}
_METADATA = prediction_log_pb2.PredictionLog.DESCRIPTOR.fields_by_name["log_metadata"].number
_REQUEST, _RESPONSE = 1, 2  # of PredictLog, ClassifyLog, ...


def prediction_log(api: str, request: Any, response: Any, sampling_rate: float) -> list[bytes]:
    """The pieces of a serialized PredictionLog; joined elsewhere, as they may be large."""
    metadata = logging_pb2.LogMetadata(saved_model_tags=["serve"], timestamp_secs=int(time.time()))
    served = response.results[0] if api == "MultiInference" else response
    metadata.model_spec.CopyFrom(served.model_spec)
    metadata.sampling_config.sampling_rate = sampling_rate
    pair = [
        *_field(_REQUEST, request.SerializeToString()),
        *_field(_RESPONSE, response.SerializeToString()),
    ]
    head = _head(_NUMBERS[api], sum(map(len, pair)))
    return [*_field(_METADATA, metadata.SerializeToString()), head, *pair]


def predict_messages(
    servable: Servable,
    signature_name: str,
    inputs: Mapping[str, np.ndarray],
    outputs: Mapping[str, np.ndarray],
    output_filter: Sequence[str] = (),
) -> tuple[Any, Any]:
    """The PredictRequest and PredictResponse of a request that came as JSON."""
    request, response = predict_pb2.PredictRequest(), predict_pb2.PredictResponse()
    _fill_spec(request, servable, signature_name)
    request.output_filter.extend(output_filter)
    for name, array in inputs.items():
        write_tensor(array, request.inputs[name])
    fill_model_spec(response.model_spec, servable, signature_name)
    for name, array in outputs.items():
        write_tensor(np.asarray(array), response.outputs[name])
    return request, response


def example_messages(
    api: str, servable: Servable, signature_name: str, examples: Any, result: Any
) -> tuple[Any, Any]:
    """The request and the response of Classify or Regress, of a request that came as JSON."""
    if api == "Classify":
        request = classification_pb2.ClassificationRequest()
        response = classification_pb2.ClassificationResponse()
    else:
        request, response = regression_pb2.RegressionRequest(), regression_pb2.RegressionResponse()
    _fill_spec(request, servable, signature_name)
    request.input.CopyFrom(examples)
    fill_model_spec(response.model_spec, servable, signature_name)
    response.result.CopyFrom(result)
    return request, response


def _fill_spec(request: Any, servable: Servable, signature_name: str) -> None:
    request.model_spec.name = servable.name
    request.model_spec.signature_name = signature_name


def _field(number: int, payload: bytes) -> list[bytes]:
    return [_head(number, len(payload)), payload]


def _head(number: int, size: int) -> bytes:
    return varint(number << 3 | 2) + varint(size)
