"""Reads classify and regress requests, which hold examples as objects, and writes their replies."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from serving.model_server.rest.exact_json import members
from serving.model_server.rest.json_show import decimal, show
from serving.model_server.rest.json_tensors import (
    decode_base64,
    encode_text,
    is_base64,
    json_type,
)
from serving.model_server.rest.json_text import Unusual, is_plain, read_body
from serving.model_server.rest.predict_json import signature_name
from serving.protocol.messages import Feature, Input
from serving.protocol.status import StatusError, invalid_argument

_KEYS = {"signature_name", "context", "examples"}
_KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def read_request(text: bytes) -> tuple[str, bytes]:
    """Reads a request: the signature's name (empty for the default), the Input, serialized."""

    def read(document: dict[str, Any], exact: bool) -> tuple[str, bytes]:
        name = signature_name(document)
        return name, read_examples(document, exact=exact).SerializeToString()

    return read_body(text, read)


def read_examples(document: Mapping[str, Any], *, exact: bool) -> Any:
    """Reads the Input message of a request; Unusual as `predict_json.read_tensors` is."""
    if not exact and not all(is_plain(v) for k, v in document.items() if k not in _KEYS):
        raise Unusual("values that are not read")
    message: Any = Input()
    has_context = "context" in document
    if has_context:
        _read_example(document["context"], message.example_list_with_context.context, exact)
    if "examples" not in document:
        raise _format_error(
            document, "When method is classify, key 'examples' is expected and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise _format_error(document, "Expecting 'examples' value to be an list/array")
    if not examples:
        raise _format_error(document, "'examples' value is an empty array")
    target = message.example_list_with_context if has_context else message.example_list
    for example in examples:
        _read_example(example, target.examples.add(), exact)
    return message


def write_classifications(result: Any) -> str:
    """Writes a ClassificationResult: for each example its pairs of label and score."""
    rows = [
        ", ".join(f"[{json.dumps(entry.label)}, {_number(entry.score)}]" for entry in row.classes)
        for row in result.classifications
    ]
    return f'{{"results": [{", ".join(f"[{row}]" for row in rows)}]}}'


def write_regressions(result: Any) -> str:
    """Writes a RegressionResult: a number for each example."""
    numbers = ", ".join(_number(entry.value) for entry in result.regressions)
    return f'{{"results": [{numbers}]}}'


def _number(value: float) -> str:
    return decimal(value, np.float32)


def _read_example(value: Any, example: Any, exact: bool) -> None:
    if not isinstance(value, dict):
        raise invalid_argument(f"Example must be JSON object but got JSON {json_type(value)}")
    for key, content in members(value):
        name = key.partition("\0")[0]
        feature: Any = Feature()
        for item in content if isinstance(content, list) else [content]:
            if not exact and isinstance(item, float) and np.isinf(item):
                raise Unusual("an infinity, or a number too large")
            _add(item, name, feature)
        example.features.feature[encode_text(name).decode(errors="replace")].CopyFrom(feature)


def _add(value: Any, name: str, feature: Any) -> None:
    if isinstance(value, bool):
        _values(feature, "int64_list", name).append(int(value))
    elif isinstance(value, str):
        _values(feature, "bytes_list", name).append(encode_text(value))
    elif is_base64(value):
        _values(feature, "bytes_list", name).append(decode_base64(value["b64"]))
    elif isinstance(value, float):
        with np.errstate(over="ignore"):
            _values(feature, "float_list", name).append(float(np.float32(value)))
    elif isinstance(value, int):
        values = _values(feature, "int64_list", name)
        if value >= 2**63 or value < -(2**63):
            raise invalid_argument(
                f"Feature: {name} has uint64_t element. Only int64_t is supported."
            )
        values.append(value)
    else:
        raise invalid_argument(
            f"Feature: {name} has element with unexpected JSON type: {json_type(value)}"
        )


def _values(feature: Any, kind: str, name: str) -> Any:
    found = next((kind for kind in _KINDS if feature.HasField(kind)), None)
    if found not in (None, kind):
        raise invalid_argument(
            f"Unexpected element type in feature: {name} expecting type: {_KINDS[found]}"
        )
    return getattr(feature, kind).value


def _format_error(document: Mapping[str, Any], fault: str) -> StatusError:
    return invalid_argument(f"JSON Value: {show(document)} {fault}")
