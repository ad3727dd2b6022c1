"""What gRPC answers to requests that are wrong."""

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
)

from tests.serving.model_server.endpoints import predict_request
from tests.serving.nearest_centroid import episode

EPISODE = episode()
X, Y, Q = "support_x", "support_y", "query_x"
INVALID, NOT_FOUND = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
GRPC_ERRORS = [
    (
        predict_request({X: EPISODE[X], Y: EPISODE[Y]}),
        INVALID,
        "input size does not match signature: 2!=3 len({support_x,support_y}) != "
        "len({query_x,support_x,support_y}). Sent extra: {}. Missing but required: {query_x}.",
    ),
    (
        predict_request({X: EPISODE[X], Y: EPISODE[Y], "z": EPISODE[Q]}),
        INVALID,
        "Signature input alias: query_x(feed name: serving_default_query_x:0) not found in request "
        "and no default value provided. Inputs expected to be in the request "
        "{support_x,support_y,z}, or default input alias set: ",
    ),
    (
        predict_request(EPISODE, signature="foo"),
        grpc.StatusCode.FAILED_PRECONDITION,
        'Serving signature key "foo" not found.',
    ),
    (
        predict_request(EPISODE, outputs=["z"]),
        INVALID,
        "output tensor alias not found in signature: z Outputs expected to be in the set "
        "{none_score,none_threshold,predictions,probabilities}.",
    ),
    (
        predict_request(EPISODE, outputs=["predictions", "predictions"]),
        INVALID,
        "duplicate output tensor alias: predictions",
    ),
    (
        predict_request(EPISODE, model="none"),
        NOT_FOUND,
        "Servable not found for request: Latest(none)",
    ),
    (
        predict_request(EPISODE, version=7),
        NOT_FOUND,
        "Servable not found for request: Specific(few_shot, 7)",
    ),
    (predict_request(EPISODE, label="x"), INVALID, "Unrecognized servable version label: x"),
    (predict_request(EPISODE, model=""), INVALID, "ModelSpec has no name specified."),
    (
        predict_request(EPISODE | {Y: EPISODE[Y].astype(np.int64)}),
        INVALID,
        "Expects arg[2] to be int32 but int64 is provided",
    ),
]


@pytest.mark.parametrize("request_, code, message", GRPC_ERRORS)
def test_grpc_errors(served, request_, code, message):
    with pytest.raises(grpc.RpcError) as error:
        served.predict(request_)
    assert (error.value.code(), error.value.details()) == (code, message)


def test_grpc_request_without_a_model_spec(served):
    with pytest.raises(grpc.RpcError) as error:
        served.call("PredictionService/Predict", b"")
    assert (error.value.code(), error.value.details()) == (INVALID, "Missing ModelSpec")


def test_grpc_bytes_that_do_not_fit_the_shape(served):
    request = predict_request(EPISODE)
    request.inputs[Y].tensor_content = b"123"
    with pytest.raises(grpc.RpcError) as error:
        served.predict(request)
    assert error.value.details() == "tensor parsing error: support_y"


def test_the_graphs_own_checks_reach_the_client(served):
    with pytest.raises(grpc.RpcError) as error:
        served.predict(predict_request(EPISODE | {X: EPISODE[X][0]}))
    assert error.value.code() is INVALID
    assert "`support_x` must have shape [E, S, 4, 4, 1]" in error.value.details()


def metadata_request(name="few_shot", fields=("signature_def",)):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    return request


def status_request(name, version=None):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    return request


@pytest.mark.parametrize(
    "method, request_, code, message",
    [
        (
            "PredictionService/GetModelMetadata",
            metadata_request(fields=()),
            INVALID,
            "GetModelMetadataRequest must specify at least one metadata_field",
        ),
        (
            "PredictionService/GetModelMetadata",
            metadata_request(fields=["foo"]),
            INVALID,
            "Metadata field foo is not supported",
        ),
        (
            "PredictionService/GetModelMetadata",
            metadata_request("none"),
            NOT_FOUND,
            "Servable not found for request: Latest(none)",
        ),
        (
            "ModelService/GetModelStatus",
            status_request("none"),
            NOT_FOUND,
            "Could not find any versions of model none",
        ),
        (
            "ModelService/GetModelStatus",
            status_request("few_shot", 7),
            NOT_FOUND,
            "Could not find version 7 of model few_shot",
        ),
    ],
)
def test_grpc_metadata_and_status_errors(served, method, request_, code, message):
    with pytest.raises(grpc.RpcError) as error:
        served.call(method, request_.SerializeToString())
    assert (error.value.code(), error.value.details()) == (code, message)


@pytest.mark.parametrize("verb, kind", [("Classify", "classification"), ("Regress", "regression")])
def test_a_few_shot_model_is_for_predict(served, verb, kind):
    request = classification_pb2.ClassificationRequest()  # as a RegressionRequest on the wire
    request.model_spec.name = "few_shot"
    request.input.example_list.examples.add()
    with pytest.raises(grpc.RpcError) as error:
        served.call(f"PredictionService/{verb}", request.SerializeToString())
    assert (error.value.code(), error.value.details()) == (
        INVALID,
        f"Expected {kind} signature method_name to be tensorflow/serving/{verb.lower()}. "
        "Was: tensorflow/serving/predict",
    )
