"""Reads a predict request and writes its reply: by row (`instances`) or by column (`inputs`)."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from serving.model_server.rest.exact_json import members
from serving.model_server.rest.json_show import show
from serving.model_server.rest.json_tensors import (
    array_from_json,
    array_to_json,
    is_base64,
    tensor_type,
)
from serving.model_server.rest.json_text import Unusual, is_plain
from serving.protocol.status import NAMES, StatusError, invalid_argument
from serving.saved_model.signatures import ADAPT_AND_PREDICT

_KEYS = {"signature_name", "instances", "inputs"}


class PredictBody(NamedTuple):
    """The tensors of a predict request by name, and whether request and reply are by row."""

    inputs: dict[str, np.ndarray]
    by_row: bool


def signature_name(document: Mapping[str, Any]) -> str:
    """Reads the name of the signature from a request; empty for the default."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid_argument(
            f"JSON Value: {show(document)} not formatted correctly. "
            "'signature_name' key must be a string value."
        )
    return name


def read_request(
    document: Mapping[str, Any],
    inputs_of: Callable[[str], Mapping[str, Any] | None],
    *,
    exact: bool,
) -> tuple[str, PredictBody]:
    """Reads the name of the signature (empty for the default) and the tensors of a request.

    Args:
      document: the request.
      inputs_of: gives a signature's inputs (TensorInfo by name), or None if there is no such.
      exact: see `read_tensors`.
    """
    name = signature_name(document)
    infos = inputs_of(name or ADAPT_AND_PREDICT)
    if infos is None:
        key = name or ADAPT_AND_PREDICT
        raise invalid_argument(f'Serving signature name: "{key}" not found in signature def')
    if not infos:
        key = name or "DEFAULT"
        raise invalid_argument(f"Failed to get input map for signature: {key}")
    return name, read_tensors(document, infos, exact=exact)


def read_tensors(
    document: Mapping[str, Any], infos: Mapping[str, Any], *, exact: bool
) -> PredictBody:
    """Reads a request's tensors; `infos` are the signature's inputs (TensorInfo by name).

    Unusual where a document that is not `exact` has infinities or values that are not read.
    """
    body = _read_tensors(document, infos)
    if not exact:
        unread = {name: value for name, value in document.items() if name not in _KEYS}
        columns = document.get("inputs")
        if isinstance(columns, dict):
            unread |= {name: value for name, value in columns.items() if name not in infos}
        if not all(map(is_plain, unread.values())):
            raise Unusual("values that are not read")
        check_infinities(body.inputs)
    return body


def check_infinities(arrays: Mapping[str, np.ndarray]) -> None:
    """Raises Unusual for an infinity, which Python's parser also reads from 1e400."""
    floats = [array for array in arrays.values() if array.dtype.kind == "f"]
    if any(np.isinf(array).any() for array in floats):
        raise Unusual("an infinity, or a number too large")


def _read_tensors(document: Mapping[str, Any], infos: Mapping[str, Any]) -> PredictBody:
    if "instances" in document and "inputs" in document:
        raise invalid_argument(
            f"JSON Value: {show(document)} Not formatted correctly expecting only one of "
            "'inputs' or 'instances' keys to exist "
        )
    if "inputs" in document:
        return PredictBody(_read_columns(document["inputs"], infos), by_row=False)
    if "instances" not in document:
        raise invalid_argument("Missing 'inputs' or 'instances' key")
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid_argument(
            f"JSON Value: {show(document)} Expecting 'instances' to be an list/array"
        )
    if not rows:
        raise invalid_argument(f"JSON Value: {show(document)} No values in 'instances' array")
    return PredictBody(_read_rows(rows, infos), by_row=True)


def _read_columns(value: Any, infos: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if not isinstance(value, dict) or is_base64(value):
        if len(infos) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        value = {next(iter(infos)): value}
    for name in sorted(infos):
        if name not in value:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
    return {name: array_from_json(value[name], tensor_type(infos[name].dtype)) for name in infos}


def _read_rows(rows: list[Any], infos: Mapping[str, Any]) -> dict[str, np.ndarray]:
    named = isinstance(rows[0], dict) and not is_base64(rows[0])
    if not isinstance(rows[0], dict) and len(infos) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    shapes: dict[str, tuple[int, ...]] = {}
    columns: dict[str, list[np.ndarray]] = {}
    for number, row in enumerate(rows):
        is_object = isinstance(row, dict) and not is_base64(row)
        if named and not is_object:
            raise invalid_argument(f"Expecting object but got list at item {number} of input list")
        if not named and is_object:
            raise invalid_argument(
                f"Expecting value/list but got object at item {number} of input list"
            )
        items = members(row) if named else [(next(iter(infos)), row)]
        names = set()
        for name, value in items:
            name = name.partition("\0")[0]
            where = f"element: {number} key: {name}" if named else f"element: {number}"
            array = _read_item(name, value, infos, shapes, where)
            if name not in names:  # of equal names the first counts
                columns.setdefault(name, []).append(array)
            names.add(name)
        if named and names != set(infos):
            raise invalid_argument(
                f"Failed to process element: {number} of 'instances' list. JSON object: "
                f"{show(row)} keys must be equal to: {','.join(sorted(infos))}"
            )
    return {name: np.stack(arrays) for name, arrays in columns.items()}


def _read_item(
    name: str, value: Any, infos: Mapping[str, Any], shapes: dict[str, tuple[int, ...]], where: str
) -> np.ndarray:
    """Reads one tensor of a row; its shape must be that of the rows before."""
    try:
        if name not in infos:
            raise invalid_argument(f"JSON object: does not have named input: {name}")
        array = array_from_json(value, tensor_type(infos[name].dtype))
        shape = shapes.setdefault(name, array.shape)
        size = np.prod(shape, dtype=int)
        if array.size != size:
            raise invalid_argument(f"Expecting tensor size: {size} but got: {array.size}")
        if array.shape != shape:
            raise invalid_argument(
                f"Expecting shape {_shape(shape)} but got: {_shape(array.shape)}"
            )
    except StatusError as error:
        raise invalid_argument(
            f"Failed to process {where} of 'instances' list. "
            f"Error: {NAMES[error.code]}: {error.message}"
        ) from error
    return array


def write_response(outputs: Mapping[str, np.ndarray], *, by_row: bool) -> str:
    """Writes the body of a reply; NaN and infinities are written as in TensorFlow Serving."""
    if by_row:
        _check_rows(outputs)
    values = {
        name: array_to_json(array, as_bytes=name.endswith("_bytes"))
        for name, array in sorted(outputs.items())
    }
    if not by_row:
        return json.dumps({"outputs": values if len(values) > 1 else next(iter(values.values()))})
    if len(values) == 1:
        return json.dumps({"predictions": next(iter(values.values()))})
    rows = [dict(zip(values, row)) for row in zip(*values.values())]
    return json.dumps({"predictions": rows})


def _check_rows(outputs: Mapping[str, np.ndarray]) -> None:
    expected = None
    for name, array in sorted(outputs.items()):
        if not array.ndim:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
        if expected is not None and len(array) != expected:
            raise invalid_argument(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} "
                f"expecting: {expected}"
            )
        expected = len(array)


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
