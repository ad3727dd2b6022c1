"""What TensorFlow Serving's code answers to the requests of cases.yaml, asked of our server."""

import http.client
import json
import re
from pathlib import Path

import grpc
import numpy as np
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    predict_pb2,
)

from serving.model_server.options import ServerOptions
from serving.model_server.server import ModelServer
from tests.serving.model_server import foreign_model
from tests.serving.model_server.endpoints import endpoint, outputs, predict_request

CASES = Path(__file__).parent / "cases.yaml"
TABLE = yaml.safe_load(CASES.read_text())
MODEL, LABEL = "/v1/models/a%2Fb%3A%20c", "new:est"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A server of the foreign model."""
    folder = tmp_path_factory.mktemp("foreign")
    foreign_model.export(folder / "models" / "7")
    config = folder / "models.config"
    config.write_text(
        f"model_config_list {{ config {{ name: 'a/b: c' base_path: '{folder / 'models'}' "
        f"model_platform: 'tensorflow' version_labels {{ key: '{LABEL}' value: 7 }} }} }}"
    )
    options = ServerOptions(model_config_file=str(config), port=-1, rest_api_port=-1)
    with ModelServer(options) as server:
        yield server


@pytest.fixture(scope="module")
def send(foreign):
    """A function that sends a REST request."""
    connection = http.client.HTTPConnection("localhost", foreign.rest_port, timeout=30)

    def request(method, path, body=None):
        data = body if body is None or isinstance(body, bytes) else body.encode()
        connection.request(method, path, data)
        reply = connection.getresponse()
        assert reply.getheader("Content-Type") == "application/json"
        return reply.status, _read(reply.read())

    yield request
    connection.close()


def _read(text: bytes):
    """A reply as data in which NaN is equal to itself and 1 is not 1.0."""
    return json.dumps(json.loads(text), sort_keys=True)


def cases(group: str):
    rows = [row[:-1] for row in TABLE[group]["cases"]]  # the last says where upstream has it
    return pytest.mark.parametrize("case", rows, ids=[f"{n}" for n in range(len(rows))])


def test_rows_name_a_file_and_line_of_the_stated_commit():
    head = CASES.read_text().partition("\n\n")[0]
    places = [row[-1] for group in TABLE.values() for row in group["cases"]]
    named = [re.fullmatch(r"(\w+\.cc):[1-9]\d*", place) for place in places if place is not None]
    assert all(match and match[1] in head for match in named)
    assert len(named) >= 290


def predict(body) -> tuple:
    return "POST", f"{MODEL}:predict", body


def refusal(code: int, message: str):
    return code, _read(json.dumps({"error": message}).encode())


@cases("not_json")
def test_bodies_that_are_no_object(send, case):
    body, message = case
    assert send(*predict(body)) == refusal(400, message)


@cases("faults")
def test_faults_of_the_text(send, case):
    body, message = case
    assert send(*predict(body)) == refusal(400, f"JSON Parse error: {message}")


@cases("values")
def test_values(send, case):
    signature, value, output = case
    body = f'{{"signature_name": "{signature}", "inputs": {value}}}'
    code, reply = send(*predict(body))
    assert (code, reply) == (200, _read(f'{{"outputs": {output}}}'.encode()))


@cases("refused_values")
def test_values_that_are_refused(send, case):
    signature, value, message = case
    body = f'{{"signature_name": "{signature}", "inputs": {value}}}'
    assert send(*predict(body)) == refusal(400, message)


@cases("types_not_in_json")
def test_types_that_json_cannot_express(send, case):
    signature, value, message = case
    body = f'{{"signature_name": "{signature}", "inputs": {value}}}'
    assert send(*predict(body)) == refusal(501, message)


@cases("bodies")
def test_whole_bodies(send, case):
    body, code, reply = case
    assert send(*predict(body)) == (code, json.dumps(reply, sort_keys=True))


@cases("examples")
def test_classify_and_regress(send, case):
    verb, body, code, reply = case
    assert send("POST", f"{MODEL}:{verb}", body) == (code, _number_signs(reply))


@cases("paths")
def test_paths(send, case):
    method, path, code, reply = case
    body = '{"signature_name": "int32", "inputs": 1}' if method in ("POST", "PUT") else None
    assert send(method, path, body) == (code, json.dumps(reply, sort_keys=True))


REQUESTS = {
    "Predict": predict_pb2.PredictRequest,
    "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
    "HandleReloadConfigRequest": model_management_pb2.ReloadConfigRequest,
}


@cases("grpc")
def test_grpc(foreign, case):
    method, text, code, message = case
    service = "PredictionService" if method in ("Predict", "GetModelMetadata") else "ModelService"
    request = text_format.Parse(text, REQUESTS[method]())
    with pytest.raises(grpc.RpcError) as error:
        endpoint(foreign).call(f"{service}/{method}", request.SerializeToString())
    assert (error.value.code().name, error.value.details()) == (code, message)


def test_an_input_that_is_not_sent_has_its_default(foreign):
    request = predict_request({"number": np.int32(3)}, model="a/b: c", signature="optional")
    answer = outputs(endpoint(foreign).predict(request))
    assert (answer["number"].item(), answer["text"].item()) == (3, b"default")


@cases("deliberate")
def test_deliberate_differences(send, case):
    body, code, reply, theirs = case
    assert theirs
    assert send(*predict(body)) == (code, json.dumps(reply, sort_keys=True))


def test_strings_that_are_not_utf8_are_taken_as_they_are(send):
    start = b'{"signature_name": "bytes", "inputs": "\xff\xed\xa0\x80'
    assert send(*predict(start + b'"}')) == (200, '{"outputs": {"b64": "/+2ggA=="}}')
    # A low surrogate alone, which RapidJSON encodes as three bytes that are not UTF-8.
    assert send(*predict(start[:-4] + b'\\udc00"}')) == (200, '{"outputs": {"b64": "7bCA"}}')


@pytest.mark.parametrize("depth", [500, 100_000])
def test_values_that_are_not_read_may_be_nested_to_any_depth(send, depth):
    body = f'{{"signature_name": "int32", "inputs": 1, "z": {"[" * depth}{"]" * depth}}}'
    assert send(*predict(body)) == (200, '{"outputs": 1}')


def test_what_a_message_shows_of_a_value_is_cut(send):
    body = json.dumps({"signature_name": "int32", "inputs": "é" * 300})
    _, reply = send(*predict(body.encode("utf-8")))
    start = 'JSON Value: "'
    assert json.loads(reply)["error"].startswith(start + "é" * 127)
    assert "... Type: String" in json.loads(reply)["error"]


@pytest.mark.parametrize("depth", [33, 100_000])
def test_tensors_of_more_dimensions_than_numpy_has_are_refused(send, depth):
    body = f'{{"signature_name": "int32", "inputs": {"[" * depth}1{"]" * depth}}}'
    code, reply = send(*predict(body))
    assert code == 400 and "a tensor has at most 32" in reply


def _number_signs(reply) -> str:
    """YAML reads `Infinity` as text."""
    text = json.dumps(reply, sort_keys=True)
    return (
        text.replace('"-Infinity"', "-Infinity")
        .replace('"Infinity"', "Infinity")
        .replace('"NaN"', "NaN")
    )
