"""Requests and errors to the letter, against our server and the real one where there is one.

The real one: `TF_SERVING_ADDRESS` (host:port of gRPC) with `TF_SERVING_URL` (REST), serving the
models of the `server` fixture under the name "few_shot"; or tensorflow_model_server on PATH.
"""

import os
import shutil
import socket
import subprocess
import time

import grpc
import numpy as np
import pytest
import requests

from tests.serving.model_server.endpoints import (
    Endpoint,
    as_lists,
    endpoint,
    outputs,
    predict_request,
)
from tests.serving.nearest_centroid import episode, expected

PREDICT = "/v1/models/few_shot:predict"
BINARY = shutil.which("tensorflow_model_server")
EPISODE = episode()
COLUMNS = as_lists(EPISODE)


@pytest.fixture(scope="module", params=["ours", "theirs"])
def served(request, server, tmp_path_factory) -> Endpoint:
    if request.param == "ours":
        yield endpoint(server)
    elif "TF_SERVING_ADDRESS" in os.environ:
        yield Endpoint(os.environ["TF_SERVING_ADDRESS"], os.environ["TF_SERVING_URL"])
    elif BINARY:
        yield from _start_binary(server, tmp_path_factory.mktemp("binary"))
    else:
        pytest.skip("tensorflow_model_server is not on PATH, TF_SERVING_ADDRESS is not set")


def _start_binary(server, folder):
    ports = [_free_port(), _free_port()]
    config = server._options.model_config_file
    flags = [f"--port={ports[0]}", f"--rest_api_port={ports[1]}", f"--model_config_file={config}"]
    flags.append("--allow_version_labels_for_unavailable_models=true")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([BINARY, *flags], stdout=log, stderr=log)
    try:
        url = f"http://localhost:{ports[1]}"
        for _ in range(100):
            try:
                requests.get(f"{url}/v1/models/few_shot", timeout=1).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.2)
        yield Endpoint(f"localhost:{ports[0]}", url)
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def without(name: str) -> dict:
    return {key: value for key, value in COLUMNS.items() if key != name}


# (what is wrong, body, HTTP code, the message or its start)
REST_ERRORS = [
    ("empty body", b"", 400, "JSON Parse error: The document is empty"),
    ("not JSON", b"x", 400, "JSON Parse error: Invalid value. at offset: 0"),
    ("not an object", [1], 400, "JSON Value: [\n    1\n] Is not object"),
    (
        "signature not a string",
        {"signature_name": 1},
        400,
        'JSON Value: {\n    "signature_name": 1\n} not formatted correctly. '
        "'signature_name' key must be a string value.",
    ),
    (
        "unknown signature",
        {"signature_name": "foo", "inputs": COLUMNS},
        400,
        'Serving signature name: "foo" not found in signature def',
    ),
    ("no tensors", {}, 400, "Missing 'inputs' or 'instances' key"),
    (
        "both forms",
        {"inputs": 1, "instances": 2},
        400,
        'JSON Value: {\n    "inputs": 1,\n    "instances": 2\n} Not formatted correctly expecting '
        "only one of 'inputs' or 'instances' keys to exist ",
    ),
    (
        "instances no list",
        {"instances": 1},
        400,
        "JSON Value: {\n    \"instances\": 1\n} Excepting 'instances' to be an list/array",
    ),
    (
        "no instances",
        {"instances": []},
        400,
        "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array",
    ),
    (
        "missing input",
        {"inputs": without("query_x")},
        400,
        "Missing named input: query_x in 'inputs' object.",
    ),
    (
        "plain inputs",
        {"inputs": [1]},
        400,
        "inputs is a plain value/list, but expecting an object as multiple input tensors required "
        "as per tensorinfo_map",
    ),
    (
        "plain instances",
        {"instances": [1]},
        400,
        "instances is a plain list, but expecting list of objects as multiple input tensors "
        "required as per tensorinfo_map",
    ),
    (
        "unknown key in a row",
        {"instances": [{"foo": 1}]},
        400,
        "Failed to process element: 0 key: foo of 'instances' list. "
        "Error: INVALID_ARGUMENT: JSON object: does not have named input: foo",
    ),
    (
        "key missing in a row",
        {"instances": [{"support_y": [0]}]},
        400,
        "Failed to process element: 0 of 'instances' list. JSON object: {\n    \"support_y\": [\n"
        "        0\n    ]\n} keys must be equal to: query_x,support_x,support_y",
    ),
    (
        "a string for a number",
        {"inputs": COLUMNS | {"support_y": [["x"]]}},
        400,
        'JSON Value: "x" Type: String is not of expected type: int32',
    ),
    (
        "a fraction for an integer",
        {"inputs": COLUMNS | {"support_y": [[0.5]]}},
        400,
        "JSON Value: 0.5 Type: Number is not of expected type: int32",
    ),
    (
        "ragged",
        {"inputs": COLUMNS | {"support_y": [[0, 1], [0]]}},
        400,
        "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
    ),
    (
        "too shallow",
        {"inputs": COLUMNS | {"support_y": [[0, 1], 1]}},
        400,
        "JSON Value: 1 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
    ),
    (
        "too deep",
        {"inputs": COLUMNS | {"support_y": [[0, [1]]]}},
        400,
        "Encountered list at unexpected level: 2 expected < 2",
    ),
]


@pytest.mark.parametrize("what, body, code, message", REST_ERRORS, ids=[e[0] for e in REST_ERRORS])
def test_rest_errors(served, what, body, code, message):
    del what
    assert served.post(PREDICT, body) == (code, {"error": message})


@pytest.mark.parametrize(
    "path, code, message",
    [
        ("/v1/models/none:predict", 404, "Servable not found for request: Latest(none)"),
        ("/v1/models/few_shot/versions/7:predict", 404, "Servable not found for request: Specific"),
        ("/v1/models/few_shot/labels/x:predict", 400, "Unrecognized servable version label: x"),
        (f"/v1/models/few_shot/versions/{'9' * 30}:predict", 400, "Failed to convert version: 999"),
        ("/v1/foo", 400, "Malformed request: POST /v1/foo"),
    ],
)
def test_rest_addresses_that_are_none(served, path, code, message):
    answered, body = served.post(path, {"inputs": COLUMNS})
    assert answered == code and body["error"].startswith(message)


@pytest.mark.parametrize(
    "path, code, message",
    [
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/models/none", 404, "Could not find any versions of model none"),
        ("/v1/models/few_shot/versions/7", 404, "Could not find version 7 of model few_shot"),
        ("/v1/foo", 400, "Malformed request: GET /v1/foo"),
    ],
)
def test_rest_status_errors(served, path, code, message):
    assert served.get(path) == (code, {"error": message})


def test_rest_by_column_and_by_row_give_the_numbers_of_numpy(served):
    inputs = episode(episodes=2)
    columns = as_lists(inputs)
    rows = [{name: values[e] for name, values in columns.items()} for e in range(2)]
    code, by_column = served.post("/v1/models/few_shot/versions/1:predict", {"inputs": columns})
    assert code == 200
    np.testing.assert_allclose(by_column["outputs"]["probabilities"], expected(inputs), atol=1e-5)
    code, by_row = served.post("/v1/models/few_shot/labels/stable:predict", {"instances": rows})
    assert code == 200
    assert [row["probabilities"] for row in by_row["predictions"]] == by_column["outputs"][
        "probabilities"
    ]


def test_rest_path_is_of_any_case_and_extra_inputs_are_passed_over(served):
    body = {"inputs": COLUMNS | {"extra": 1}}
    code, _ = served.post("/V1/Models/few_shot:Predict", body)
    assert code == 200


def test_rest_ignores_what_follows_the_document(served):
    code, body = served.post(PREDICT, b'{"inputs": {}} trailing')
    assert (code, body["error"][:20]) == (400, "Missing named input:")


def test_rest_status_and_metadata(served):
    code, status = served.get("/v1/models/few_shot/versions/1")
    entry = {"version": "1", "state": "AVAILABLE"}
    entry["status"] = {"error_code": "OK", "error_message": ""}
    assert (code, status) == (200, {"model_version_status": [entry]})
    code, metadata = served.get("/v1/models/few_shot/versions/1/metadata")
    assert metadata["model_spec"] == {"name": "few_shot", "signature_name": "", "version": "1"}
    table = metadata["metadata"]["signature_def"]["signature_def"]
    labels = table["serving_default"]["inputs"]["support_y"]
    assert labels["dtype"] == "DT_INT32"
    assert labels["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}, {"size": "-1", "name": ""}],
        "unknown_rank": False,
    }


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
        "{predictions,probabilities}.",
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
