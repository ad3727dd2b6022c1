"""What gRPC answers to requests that are right: the fields that are filled in, any shape."""

import numpy as np
import pytest
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from tests.serving.model_server.endpoints import outputs, predict_request
from tests.serving.nearest_centroid import episode, expected

EPISODE = episode()
X, Y, Q = "support_x", "support_y", "query_x"


def test_grpc_answers_with_the_signature_and_version_filled_in(served):
    response = served.predict(predict_request(EPISODE, version=1))
    assert response.model_spec.signature_name == "serving_default"
    assert response.model_spec.version.value == 1
    tensor = response.outputs["probabilities"]
    assert len(tensor.float_val) == 12 and not tensor.tensor_content
    np.testing.assert_allclose(outputs(response)["probabilities"], expected(EPISODE), atol=1e-5)


def test_grpc_output_filter(served):
    response = served.predict(predict_request(EPISODE, outputs=["predictions"]))
    assert list(response.outputs) == ["predictions"]


@pytest.mark.parametrize("ways, shots, queries", [(2, 1, 1), (5, 20, 50), (3, 7, 2)])
def test_any_number_of_ways_shots_and_queries(served, ways, shots, queries):
    inputs = episode(ways=ways, shots=shots, queries=queries)
    answer = outputs(served.predict(predict_request(inputs, version=1)))["probabilities"]
    np.testing.assert_allclose(answer, expected(inputs), atol=1e-4)


def test_uneven_support(served):
    inputs = episode(ways=3, shots=4)
    keep = np.sort(np.r_[np.flatnonzero(inputs[Y][0] == 0)[:1], np.flatnonzero(inputs[Y][0] != 0)])
    inputs |= {X: inputs[X][:, keep], Y: inputs[Y][:, keep]}
    answer = outputs(served.predict(predict_request(inputs, version=1)))["probabilities"]
    np.testing.assert_allclose(answer, expected(inputs), atol=1e-4)


def test_adapt_then_predict_is_serving_default(served):
    whole = outputs(served.predict(predict_request(EPISODE)))
    support = {X: EPISODE[X], Y: EPISODE[Y]}
    weights = outputs(served.predict(predict_request(support, signature="adapt")))
    parts = served.predict(predict_request(weights | {Q: EPISODE[Q]}, signature="predict"))
    np.testing.assert_array_equal(outputs(parts)["probabilities"], whole["probabilities"])


def test_grpc_metadata_holds_every_signature(served):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "few_shot"
    reply = served.call("PredictionService/GetModelMetadata", request.SerializeToString())
    response = get_model_metadata_pb2.GetModelMetadataResponse.FromString(reply)
    table = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(table)
    signatures = set(table.signature_def) - {"__saved_model_init_op"}
    assert signatures == {"serving_default", "adapt_and_predict_encoded", "adapt", "predict"}
    assert response.model_spec.version.value in (1, 2)


def test_grpc_status_of_one_version(served):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "few_shot"
    request.model_spec.version.value = 1
    reply = served.call("ModelService/GetModelStatus", request.SerializeToString())
    (entry,) = get_model_status_pb2.GetModelStatusResponse.FromString(reply).model_version_status
    assert (entry.version, entry.state, entry.status.error_code) == (1, entry.AVAILABLE, 0)
