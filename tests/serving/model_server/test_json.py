"""JSON: texts, tensors, answers. What a request says of them is in test_conformance.py."""

import base64
import json
import math

import numpy as np
import pytest

from serving.model_server.rest.json_tensors import array_from_json, array_to_json
from serving.model_server.rest.json_text import read_body
from serving.model_server.rest.predict_json import write_response
from serving.protocol.status import StatusError
from serving.protocol.tensors import BY_PROTO_NAME


def parse_object(body):
    return read_body(body, lambda document, exact: document)


FLOAT, DOUBLE, INT32, UINT8, STRING, BOOL = (
    BY_PROTO_NAME[f"DT_{name}"] for name in ["FLOAT", "DOUBLE", "INT32", "UINT8", "STRING", "BOOL"]
)


@pytest.mark.parametrize(
    "body, message",
    [
        (b" \n", "The document is empty. at offset: 2"),
        (b'{"a": [1 2]}', "Missing a comma or ']' after an array element. at offset: 9"),
        (b'{"a": 1 "b"}', "Missing a comma or '}' after an object member. at offset: 8"),
        (b'{"[": 1 "b"}', "Missing a comma or '}' after an object member. at offset: 8"),
        (b'{"a" 1}', "Missing a colon after a name of object member. at offset: 5"),
        (b"{1}", "Missing a name for object member. at offset: 1"),
        (b'{"a": "\\x"}', "Invalid escape character in string. at offset: 7"),
        (b'{"a": "\x01"}', "Invalid escape character in string. at offset: 7"),
        ('{"é": x}'.encode(), "Invalid value. at offset: 7"),
    ],
)
def test_parse_errors_are_those_of_rapidjson_with_offsets_in_bytes(body, message):
    with pytest.raises(StatusError) as error:
        parse_object(body)
    assert error.value.message == f"JSON Parse error: {message}"


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"9" * 10_000])
def test_hostile_documents_are_errors(body):
    with pytest.raises(StatusError):
        parse_object(body)


def test_nan_and_infinity_are_values():
    value = parse_object(b'{"a": [NaN, Infinity, -Infinity]}')["a"]
    array = array_from_json(value, FLOAT)
    assert math.isnan(array[0]) and array[1] == np.inf and array[2] == -np.inf


@pytest.mark.parametrize(
    "value, kind, expected",
    [
        ([[1, 2.5], [3, 4]], FLOAT, np.array([[1, 2.5], [3, 4]], np.float32)),
        ([0, 255], UINT8, np.array([0, 255], np.uint8)),
        ([], INT32, np.zeros(0, np.int32)),
        ([[], []], INT32, np.zeros((2, 0), np.int32)),
        (3, INT32, np.array(3, np.int32)),
        ([True], BOOL, np.array([True])),
        (2**24 - 1, FLOAT, np.array(2**24 - 1, np.float32)),
        (2**24 + 1, FLOAT, np.array(2**24, np.float32)),
        (1e39, FLOAT, np.array(np.inf, np.float32)),
        (2**53 + 1, DOUBLE, np.array(2.0**53)),
    ],
)
def test_values_become_arrays(value, kind, expected):
    array = array_from_json(value, kind)
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)
    assert array.shape == expected.shape


def test_strings_are_texts_or_base64_with_or_without_padding():
    packed = {"b64": base64.b64encode(b"\xff\x00").decode()}
    bare = {"b64": packed["b64"].rstrip("=")}
    assert array_from_json(["é", packed, bare], STRING).tolist() == [
        "é".encode(),
        b"\xff\x00",
        b"\xff\x00",
    ]


@pytest.mark.parametrize(
    "value, kind, message",
    [
        (True, INT32, "JSON Value: true Type: True is not of expected type: int32"),
        (None, FLOAT, "JSON Value: null Type: Null is not of expected type: float"),
        ([0, True], INT32, "JSON Value: true Type: True is not of expected type: int32"),
        (2**31, INT32, f"JSON Value: {2**31} Type: Number is not of expected type: int32"),
        (300, UINT8, "JSON Value: 300 Type: Number is not of expected type: uint8"),
        ({"a": 1}, STRING, 'JSON Value: {\n    "a": 1\n} not formatted correctly for base64 data'),
        ({"b64": "*"}, STRING, "Unable to base64 decode"),
        ([[1], {}], INT32, "JSON Value: {} found at incorrect level: 2 in the JSON DOM. "),
    ],
)
def test_values_that_do_not_fit(value, kind, message):
    with pytest.raises(StatusError) as error:
        array_from_json(value, kind)
    assert error.value.message.startswith(message)


def test_lists_deeper_than_a_tensor_can_be_are_refused():
    value = [1]
    for _ in range(40):
        value = [value]
    with pytest.raises(StatusError, match="at most 32"):
        array_from_json(value, INT32)


def test_an_output_whose_name_ends_in_bytes_is_base64():
    array = np.array([[b"\xff"]], object)
    assert array_to_json(array, as_bytes=True) == [[{"b64": "/w=="}]]
    assert json.loads(write_response({"x_bytes": array}, by_row=False)) == {
        "outputs": [[{"b64": "/w=="}]]
    }


def test_floats_are_written_without_noise_digits_and_read_back_the_same():
    array = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    array[0] = 0.1, np.inf
    text = write_response({"x": array}, by_row=False)
    assert text.startswith('{"outputs": [[0.1, Infinity], [')
    np.testing.assert_array_equal(np.array(json.loads(text)["outputs"], np.float32), array)


def test_many_floats_are_written_as_short_as_one():
    bits = np.random.default_rng(0).integers(0, 2**32, 4000, dtype=np.uint64).astype(np.uint32)
    edges = np.array([0, -0.0, np.inf, np.nan, 3.4028235e38, 1e-45, 2**24, 1e22, 1e-22], np.float32)
    array = np.concatenate([bits.view(np.float32), edges, np.round(np.linspace(0, 1, 500), 3)])
    array = array.astype(np.float32)
    together = array_to_json(array, as_bytes=False)
    alone = [array_to_json(array[i : i + 1], as_bytes=False)[0] for i in range(len(array))]
    assert list(map(repr, together)) == list(map(repr, alone))


def test_answers_by_row_and_by_column():
    two = {"a": np.array([1, 2]), "b": np.array([[3], [4]])}
    assert json.loads(write_response(two, by_row=True)) == {
        "predictions": [{"a": 1, "b": [3]}, {"a": 2, "b": [4]}]
    }
    assert json.loads(write_response(two, by_row=False)) == {
        "outputs": {"a": [1, 2], "b": [[3], [4]]}
    }
    assert json.loads(write_response({"a": two["a"]}, by_row=True)) == {"predictions": [1, 2]}


@pytest.mark.parametrize(
    "outputs, message",
    [
        ({"a": np.array(1)}, "Tensor name: a has no shape information "),
        (
            {"a": np.zeros(2), "b": np.zeros(3)},
            "Tensor name: b has inconsistent batch size: 3 expecting: 2",
        ),
    ],
)
def test_outputs_that_have_no_rows(outputs, message):
    with pytest.raises(StatusError) as error:
        write_response(outputs, by_row=True)
    assert error.value.message == message
