"""What REST answers to requests that are wrong."""

import pytest
import requests

from tests.serving.model_server.endpoints import as_lists
from tests.serving.nearest_centroid import episode

PREDICT = "/v1/models/few_shot:predict"
COLUMNS = as_lists(episode())
ROW = {name: values[0] for name, values in COLUMNS.items()}


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
        "JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array",
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
        "rows of different kinds",
        {"instances": [ROW, [1]]},
        400,
        "Expecting object but got list at item 1 of input list",
    ),
    (
        "rows of different sizes",
        {"instances": [ROW, ROW | {"query_x": ROW["query_x"][:1]}]},
        400,
        "Failed to process element: 1 key: query_x of 'instances' list. "
        "Error: INVALID_ARGUMENT: Expecting tensor size: 64 but got: 16",
    ),
    (
        "rows of different shapes",
        {"instances": [ROW, ROW | {"support_y": [[label] for label in ROW["support_y"]]}]},
        400,
        "Failed to process element: 1 key: support_y of 'instances' list. "
        "Error: INVALID_ARGUMENT: Expecting shape [6] but got: [6,1]",
    ),
    (
        "a number that a label cannot be",
        {"inputs": COLUMNS | {"support_y": [[2**40]]}},
        400,
        "JSON Value: 1099511627776 Type: Number is not of expected type: int32",
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


@pytest.mark.parametrize("verb, kind", [("classify", "classification"), ("regress", "regression")])
def test_a_few_shot_model_is_for_predict(served, verb, kind):
    body = {"examples": [{"x": 1.0}], "inputs": COLUMNS}
    code, answer = served.post(f"/v1/models/few_shot:{verb}", body)
    assert (code, answer["error"]) == (
        400,
        f"Expected {kind} signature method_name to be tensorflow/serving/{verb}. "
        "Was: tensorflow/serving/predict",
    )


def test_outside_of_the_api_is_a_plain_404(served):
    assert requests.get(f"{served.url}/elsewhere", timeout=30).status_code == 404
