"""The gRPC services PredictionService and ModelService."""

import time
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.model_server import examples
from serving.model_server.core import ServerCore
from serving.model_server.grpc_calls import method_handler
from serving.model_server.introspection import model_metadata, model_status
from serving.model_server.large_requests import LARGE_BYTES
from serving.model_server.model_config import parse_config
from serving.model_server.predict import InputReaders, proto_inputs
from serving.model_server.request_cost import flat_bytes, predict_request_bytes
from serving.model_server.request_share import Share
from serving.protocol import status
from serving.protocol.model_spec import read_model_spec
from serving.protocol.status import invalid_argument
from serving.protocol.tensors import write_tensor

# Seconds; gRPC gives a call without a deadline some three hundred thousand years.
_NO_DEADLINE = 1e9


def service_handlers(core: ServerCore) -> list[grpc.GenericRpcHandler]:
    """Makes the handlers to add to a grpc.Server whose threads are CallThreads."""
    methods: dict[str, dict[str, tuple[Any, Callable]]] = {
        "PredictionService": {
            "Predict": (predict_pb2.PredictRequest, _predict),
            "Classify": (classification_pb2.ClassificationRequest, _classify),
            "Regress": (regression_pb2.RegressionRequest, _regress),
            "MultiInference": (inference_pb2.MultiInferenceRequest, _infer_all),
            "GetModelMetadata": (get_model_metadata_pb2.GetModelMetadataRequest, _metadata),
        },
        "ModelService": {
            "GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, _status),
            "HandleReloadConfigRequest": (model_management_pb2.ReloadConfigRequest, _reload),
        },
    }
    return [
        grpc.method_handlers_generic_handler(
            f"tensorflow.serving.{service}",
            {name: _handler(core, name, *method) for name, method in table.items()},
        )
        for service, table in methods.items()
    ]


def _handler(
    core: ServerCore, api: str, request_class: Any, method: Callable
) -> grpc.RpcMethodHandler:
    """Wraps `method(core, request, context)` with limits, parsing, counting and errors."""
    cost = predict_request_bytes if request_class is predict_pb2.PredictRequest else flat_bytes
    fields = request_class.DESCRIPTOR.fields_by_name  # asked for once: it takes microseconds
    of_model, of_tasks = "model_spec" in fields, "tasks" in fields

    def handle(payload: bytes, share: Share, context: grpc.ServicerContext) -> bytes:
        share.add(cost(payload) - len(payload))  # which is counted since it came
        readers = None
        if api == "Predict" and len(payload) > LARGE_BYTES:
            limit, deadline = core.max_message_bytes, _deadline(context)
            request, readers = core.large.read_message(payload, limit, deadline)
        else:
            # Parsed here: gRPC would answer an unparsable request with INTERNAL and no message.
            request = _parse(request_class, payload)
        del payload  # the request has a copy, or the readers have it
        name = request.model_spec.name if of_model else ""
        with core.observe(name, api, "GRPC"):
            if readers is None:
                response = method(core, request, context)
            else:
                response = _predict(core, request, context, readers)
            logged = request.tasks[0].model_spec.name if of_tasks else name
            core.log(api, logged, lambda: (_whole(request, readers), response))
            return response.SerializeToString()

    return method_handler(handle)


def _whole(request: Any, readers: InputReaders | None) -> Any:
    """The request with the values of its inputs, for the log."""
    for alias, read in (readers or {}).items():
        request.inputs[alias].Clear()
        write_tensor(read(), request.inputs[alias])
    return request


def _parse(request_class: Any, payload: bytes) -> Any:
    try:
        return request_class.FromString(payload)
    except DecodeError as error:
        kind = request_class.DESCRIPTOR.name
        raise invalid_argument(f"The payload is not a {kind} message") from error


def _deadline(context: grpc.ServicerContext) -> float | None:
    remaining = context.time_remaining()
    limited = remaining is not None and remaining < _NO_DEADLINE
    return time.monotonic() + remaining if limited else None


def _predict(
    core: ServerCore,
    request: Any,
    context: grpc.ServicerContext,
    readers: InputReaders | None = None,
) -> Any:
    response = predict_pb2.PredictResponse()
    with core.servable(read_model_spec(request)) as servable:
        outputs = core.predict(
            servable,
            request.model_spec.signature_name,
            readers or proto_inputs(request.inputs, max_bytes=core.max_message_bytes),
            request.output_filter,
            _deadline(context),
        )
    examples.fill_model_spec(response.model_spec, servable, request.model_spec.signature_name)
    for alias, array in outputs.items():
        write_tensor(array, response.outputs[alias], typed=core.typed_outputs)
    return response


def _classify(core: ServerCore, request: Any, context: grpc.ServicerContext) -> Any:
    response = classification_pb2.ClassificationResponse()
    name = request.model_spec.signature_name
    with core.servable(read_model_spec(request)) as servable:
        result = examples.classify(servable, name, request.input, core.run, _deadline(context))
    response.result.CopyFrom(result)
    examples.fill_model_spec(response.model_spec, servable, name)
    return response


def _regress(core: ServerCore, request: Any, context: grpc.ServicerContext) -> Any:
    response = regression_pb2.RegressionResponse()
    name = request.model_spec.signature_name
    with core.servable(read_model_spec(request)) as servable:
        result = examples.regress(servable, name, request.input, core.run, _deadline(context))
    response.result.CopyFrom(result)
    examples.fill_model_spec(response.model_spec, servable, name)
    return response


def _infer_all(core: ServerCore, request: Any, context: grpc.ServicerContext) -> Any:
    if not request.tasks:
        raise invalid_argument("ModelSpec has no name specified.")
    with core.servable(read_model_spec(request.tasks[0])) as servable:
        return examples.infer_all(servable, request, core.run, _deadline(context))


def _metadata(core: ServerCore, request: Any, context: grpc.ServicerContext) -> Any:
    spec = read_model_spec(request)
    if not request.metadata_field:
        raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != "signature_def":
            raise invalid_argument(f"Metadata field {field} is not supported")
    return model_metadata(core, spec)


def _status(core: ServerCore, request: Any, context: grpc.ServicerContext) -> Any:
    return model_status(core, read_model_spec(request))


def _reload(core: ServerCore, request: Any, context: grpc.ServicerContext) -> Any:
    """Replaces the configuration; an error is the status of the call."""
    if request.config.WhichOneof("config") != "model_config_list":
        raise invalid_argument(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. "
            "Only ModelConfigList is currently supported"
        )
    core.manager.configure(parse_config(request.config))
    response = model_management_pb2.ReloadConfigResponse()
    response.status.error_code = status.OK
    return response
