"""Classify, Regress and MultiInference over gRPC, on a model of another project."""

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, inference_pb2, regression_pb2

from serving.model_server.options import ServerOptions
from serving.model_server.server import ModelServer
from tests.serving.model_server import foreign_model
from tests.serving.model_server.endpoints import endpoint

INVALID = grpc.StatusCode.INVALID_ARGUMENT
CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """A function that calls a method of the PredictionService."""
    folder = tmp_path_factory.mktemp("foreign")
    foreign_model.export(folder / "3")
    options = ServerOptions(model_base_path=str(folder), model_name="m", port=-1)
    with ModelServer(options) as server:
        served = endpoint(server)
        yield lambda method, request: served.call(
            f"PredictionService/{method}", request.SerializeToString()
        )


def example(**features) -> tf.train.Example:
    kinds = {
        float: lambda v: tf.train.Feature(float_list=tf.train.FloatList(value=[v])),
        bytes: lambda v: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v])),
    }
    named = {name: kinds[type(value)](value) for name, value in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=named))


def fill(request, signature="", *examples, context=None):
    if signature is not None:
        request.model_spec.name = "m"
        request.model_spec.signature_name = signature
    target = request.input.example_list
    if context is not None:
        target = request.input.example_list_with_context
        target.context.CopyFrom(context)
    target.examples.extend(examples)
    return request


def tasks(*named):
    request = inference_pb2.MultiInferenceRequest()
    for model, signature, method in named:
        task = request.tasks.add(method_name=method)
        task.model_spec.name, task.model_spec.signature_name = model, signature
    return request


def test_classify(call):
    request = fill(
        classification_pb2.ClassificationRequest(),
        "classify",
        example(v=0.25),
        example(v=0.5, s=b"cat"),
        context=example(s=b"shared"),
    )
    response = classification_pb2.ClassificationResponse.FromString(call("Classify", request))
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("m", 3, "classify")
    rows = [[(c.label, c.score) for c in row.classes] for row in response.result.classifications]
    assert rows == [[("shared", 0.25), ("other", 0.75)], [("cat", 0.5), ("other", 0.5)]]


def test_regress(call):
    request = fill(regression_pb2.RegressionRequest(), "regress", example(v=1.5), example())
    response = regression_pb2.RegressionResponse.FromString(call("Regress", request))
    assert [entry.value for entry in response.result.regressions] == [1.5, 0.0]
    assert response.model_spec.signature_name == "regress"


def test_several_tasks_on_one_input(call):
    request = tasks(("m", "regress", REGRESS), ("m", "classify", CLASSIFY))
    fill(request, None, example(v=0.25))
    response = inference_pb2.MultiInferenceResponse.FromString(call("MultiInference", request))
    regression, classification = response.results
    assert regression.regression_result.regressions[0].value == 0.25
    first = classification.classification_result.classifications[0].classes[0]
    assert (first.label, first.score) == ("none", 0.25)
    assert classification.model_spec.signature_name == "classify"


# From classifier.cc, regressor.cc, multi_inference.cc and util.cc of tensorflow/serving b6b8cca.
Classification = classification_pb2.ClassificationRequest
Regression = regression_pb2.RegressionRequest


@pytest.mark.parametrize(
    "method, request_, code, message",
    [
        ("Classify", Classification(), INVALID, "Missing ModelSpec"),
        ("Classify", fill(Classification(), "classify"), INVALID, "Input is empty."),
        (
            "Classify",
            fill(Classification(), "none"),
            INVALID,
            "No signature was found with the name: none",
        ),
        (
            "Classify",
            fill(Classification(), "int32", example()),
            INVALID,
            f"Expected classification signature method_name to be {CLASSIFY}. "
            "Was: tensorflow/serving/predict",
        ),
        (
            "Regress",
            fill(Regression(), "classify", example()),
            INVALID,
            f"Expected regression signature method_name to be {REGRESS}. Was: {CLASSIFY}",
        ),
        ("MultiInference", tasks(), INVALID, "ModelSpec has no name specified."),
        (
            "MultiInference",
            tasks(("m", "regress", REGRESS), ("n", "classify", CLASSIFY)),
            INVALID,
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        (
            "MultiInference",
            tasks(("m", "regress", REGRESS), ("", "classify", CLASSIFY)),
            INVALID,
            "Found ModelSpec with an empty model name.",
        ),
        (
            "MultiInference",
            tasks(("m", "regress", REGRESS), ("m", "regress", REGRESS)),
            INVALID,
            "Duplicate evaluation of signature: regress",
        ),
        (
            "MultiInference",
            tasks(("m", "none", REGRESS)),
            INVALID,
            "Requested signature not found in model graph: none",
        ),
        (
            "MultiInference",
            tasks(("m", "int32", "tensorflow/serving/predict")),
            grpc.StatusCode.UNIMPLEMENTED,
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
        (
            "MultiInference",
            tasks(("m", "regress", REGRESS), ("m", "elsewhere", REGRESS)),
            INVALID,
            "Input tensor must be the same for all Signatures.",
        ),
        ("MultiInference", tasks(("m", "regress", REGRESS)), INVALID, "Input is empty."),
    ],
)
def test_errors(call, method, request_, code, message):
    with pytest.raises(grpc.RpcError) as error:
        call(method, request_)
    assert (error.value.code(), error.value.details()) == (code, message)


@pytest.mark.parametrize("signature", ["named_x", "no_scores", "no_outputs"])
def test_signatures_without_the_names_that_are_expected(call, signature):
    request = fill(Classification(), signature, example())
    method = "Regress" if signature == "no_outputs" else "Classify"
    with pytest.raises(grpc.RpcError) as error:
        call(method, request)
    assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "found in SignatureDef" in error.value.details() or "at least one of" in (
        error.value.details()
    )
