"""Large requests are read as small ones are, without holding up the interpreter."""

import json
from typing import ClassVar

import numpy as np
import pytest
from tensorflow_serving.apis import input_pb2

from serving.model_server.large_bodies import pack, unpack
from serving.model_server.large_requests import LARGE_BYTES, LargeRequests
from serving.model_server.rest import examples_json
from serving.model_server.rest.json_text import MAX_EXACT
from serving.model_server.tensor_contents import take_contents
from serving.protocol.messages import Input, PredictRequest
from serving.protocol.status import INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE, StatusError
from serving.protocol.tensors import write_tensor

RNG = np.random.default_rng(0)


class Signature:
    """As a SignatureDef: inputs with the numbers of their types."""

    def __init__(self, **types):
        self.inputs = {name: type("Info", (), {"dtype": n})() for name, n in types.items()}


class Model:
    """As a Servable."""

    signature_defs: ClassVar = {"serving_default": Signature(x=1, name=7)}


@pytest.fixture(scope="module")
def large():
    requests = LargeRequests()
    yield requests
    requests.close()


def message(typed=False, **inputs) -> bytes:
    request = PredictRequest()
    request.model_spec.name = "m"
    request.output_filter.append("y")
    for name, array in inputs.items():
        write_tensor(array, request.inputs[name], typed=typed)
    return request.SerializeToString()


ARRAYS = {
    "x": RNG.random((3, 100_000), np.float32),
    "y": np.arange(200_000, dtype=np.int64),
    "names": np.array([b"", b"a\0b", "é".encode()] * 1000, object).reshape(2, 1500),
}


@pytest.mark.parametrize("typed", [False, True])
def test_a_message_is_read_as_protobuf_reads_it(large, typed):
    payload = message(typed, **ARRAYS)
    request, readers = large.read_message(payload, 2**26, None)
    assert (request.model_spec.name, list(request.output_filter)) == ("m", ["y"])
    assert set(readers) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(readers[name](), array)


def test_large_contents_are_not_copied():
    payload = message(**ARRAYS)
    rest, contents = take_contents(payload)
    assert set(contents) == {"x", "y"}
    assert contents["x"].obj is payload and contents["x"].tobytes() == ARRAYS["x"].tobytes()
    assert len(rest) < 20_000
    again = PredictRequest.FromString(rest)
    assert len(again.inputs["names"].string_val) == 3000


@pytest.mark.parametrize(
    "payload",
    [
        message(**ARRAYS)[:-1],  # cut off
        2 * message(**ARRAYS),  # each input twice: the last counts
        message(x=ARRAYS["x"]) + b"\x0b",  # a group
        b"\xff" * 20,
        b"\x1a\x00" * 20_000,  # many fields
    ],
)
def test_messages_of_another_form_are_left_to_protobuf(payload):
    with pytest.raises(ValueError):
        take_contents(payload)


def test_what_is_no_message_or_no_tensor_is_refused(large):
    with pytest.raises(StatusError, match="The payload is not a PredictRequest message"):
        large.read_message(message(**ARRAYS)[:-1], 2**26, None)
    for typed in (False, True):
        _, readers = large.read_message(message(typed, x=ARRAYS["x"]), LARGE_BYTES, None)
        with pytest.raises(StatusError, match="tensor parsing error: x"):
            readers["x"]()


def test_json_is_read_in_the_other_process(large):
    rows = [{"x": row, "name": "a"} for row in ARRAYS["x"].tolist()]
    name, inputs, by_row = large.read_json(Model, json.dumps({"instances": rows}).encode(), None)
    assert (name, by_row) == ("", True)
    np.testing.assert_array_equal(inputs["x"], ARRAYS["x"])
    assert inputs["name"].tolist() == [b"a"] * 3
    wide = b'{"signature_name": "none", "inputs": [' + b"0," * 300_000 + b"0]}"
    for body, text in [
        (wide, 'Serving signature name: "none" not found in signature def'),
        (wide[:-2], f"Missing a comma or ']' after an array element. at offset: {len(wide) - 2}"),
    ]:
        with pytest.raises(StatusError) as error:
            large.read_json(Model, body, None)
        assert error.value.code == INVALID_ARGUMENT and error.value.message.endswith(text)


def test_a_model_that_is_not_found_is_told_after_the_faults_of_the_text(large):
    missing = StatusError(NOT_FOUND, "Servable not found")
    body = json.dumps({"inputs": ARRAYS["x"].tolist()}).encode()
    for text, code in [(body, NOT_FOUND), (body[:-1], INVALID_ARGUMENT)]:
        with pytest.raises(StatusError) as error:
            large.read_json(missing, text, None)
        assert error.value.code == code


def test_examples_are_read_in_the_other_process_as_in_this_one(large):
    example = {"x": [1.5, 2.0], "n": 3, "words": ["é", {"b64": "AAA="}], "none": []}
    text = json.dumps({"signature_name": "s", "examples": 5000 * [example]}).encode()
    assert len(text) > MAX_EXACT
    name, message = large.read_examples(text, None)
    again = examples_json.read_request(text)
    assert (name, Input.FromString(message)) == (again[0], Input.FromString(again[1]))
    examples = input_pb2.Input.FromString(message).example_list.examples
    feature = examples[4999].features.feature
    assert (name, len(examples), feature["none"].WhichOneof("kind")) == ("s", 5000, None)
    assert feature["x"].float_list.value == [1.5, 2.0] and feature["n"].int64_list.value == [3]
    assert feature["words"].bytes_list.value == ["é".encode(), b"\0\0"]
    with pytest.raises(StatusError, match="JSON Parse error"):
        large.read_examples(text[:-1], None)


def test_an_inference_request_is_read_in_the_other_process(large):
    flat, strings = ARRAYS["x"].ravel().tolist(), {"binary_data_size": 5}
    document = {"id": "7", "parameters": {"signature_name": "serving_default"}, "inputs": [
        {"name": "x", "datatype": "FP32", "shape": [3, 100_000], "data": flat},
        {"name": "name", "datatype": "BYTES", "shape": [1], "parameters": strings},
    ]}  # fmt: skip
    raw = b"\1\0\0\0a"
    found, arrays = large.read_inference(Model, json.dumps(document).encode(), raw, None)
    assert found == {key: document[key] for key in ("id", "parameters")}
    np.testing.assert_array_equal(arrays["x"], ARRAYS["x"])
    assert arrays["name"].tolist() == [b"a"]
    document["parameters"]["signature_name"] = "none"
    with pytest.raises(StatusError, match="must be one of serving_default; got none"):
        large.read_inference(Model, json.dumps(document).encode(), raw, None)


def test_the_other_process_is_started_again_when_it_dies(large):
    body = json.dumps({"inputs": {"x": ARRAYS["x"].tolist(), "name": "a"}}).encode()
    large.read_json(Model, body, None)
    process = large._process._process
    process.kill()
    process.wait()
    with pytest.raises(StatusError, match="try again") as error:
        large.read_json(Model, body, None)
    assert error.value.code == UNAVAILABLE
    assert large.read_json(Model, body, None)[0] == ""


@pytest.mark.parametrize(
    "array", [ARRAYS["names"], np.array(b"x", object), np.zeros((0, 2)), np.empty(0, object)]
)
def test_arrays_pass_between_processes_unchanged(array):
    again = unpack(pack(array))
    assert again.dtype == array.dtype and again.shape == array.shape
    np.testing.assert_array_equal(again, array)
