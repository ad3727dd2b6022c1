"""Converts a JSON value to an array, and back.

Nested lists are flattened level by level with whole-list operations, several times faster than a
recursive walk. Only an invalid value is walked, to report its first fault as TensorFlow Serving
does.
"""

import base64
import binascii
from itertools import chain
from typing import Any

import numpy as np

from serving.model_server.rest.json_text import show
from serving.protocol.status import StatusError, invalid_argument
from serving.protocol.tensors import TensorType

_LEAF_TYPES: dict[str, set[type]] = {
    "b": {bool},
    "f": {int, float},
    "i": {int},
    "u": {int},
    "O": {str, dict},
}
_MAX_RANK = 32  # NumPy's
_KINDS = {list: "Array", dict: "Object", str: "String", int: "Number", float: "Number"}


def array_from_json(value: Any, kind: TensorType) -> np.ndarray:
    """Converts a JSON value to an array; the first element of each list gives the shape."""
    shape = dense_shape(value)
    if len(shape) > _MAX_RANK:
        raise invalid_argument(
            f"JSON Value is nested {len(shape)} lists deep; a tensor has at most {_MAX_RANK}"
        )
    level = [value]
    for size in shape:
        if set(map(type, level)) != {list} or set(map(len, level)) != {size}:
            break
        level = list(chain.from_iterable(level))
    else:
        if set(map(type, level)) <= _LEAF_TYPES[kind.numpy.kind] and _in_range(level, kind):
            return _leaves_to_array(level, kind).reshape(shape)
    _raise_first_fault(value, 0, shape, kind)
    return _leaves_to_array(level, kind).reshape(shape)


def dense_shape(value: Any) -> list[int]:
    """Gives the lengths of the value, of its first element, of that one's first element, ..."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    return shape


def is_base64(value: Any) -> bool:
    """Tells whether a value is an object with the one key `b64`."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _in_range(leaves: list, kind: TensorType) -> bool:
    """Tells whether the type can hold every number without loss of precision."""
    if kind.numpy.kind in "iu":
        limits = np.iinfo(kind.numpy)
        return not leaves or (limits.min <= min(leaves) and max(leaves) <= limits.max)
    if kind.numpy.kind != "f":
        return True
    info = np.finfo(kind.numpy)
    integers = [leaf for leaf in leaves if type(leaf) is int]
    if integers and max(max(integers), -min(integers)) >= 2 ** (info.nmant + 1):
        return False
    decimals = np.array([leaf for leaf in leaves if type(leaf) is float], np.float64)
    return not bool((np.abs(decimals[np.isfinite(decimals)]) > info.max).any())


def _leaves_to_array(leaves: list, kind: TensorType) -> np.ndarray:
    if kind.numpy.kind != "O":
        return np.array(leaves, kind.numpy)
    flat = np.empty(len(leaves), object)
    flat[:] = [_decode(leaf) for leaf in leaves]
    return flat


def _decode(leaf: Any) -> bytes:
    if isinstance(leaf, str):
        return leaf.encode(errors="surrogatepass")
    if not is_base64(leaf):
        raise invalid_argument(f"JSON Value: {show(leaf)} not formatted correctly for base64 data")
    text = leaf["b64"]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_argument("Unable to base64 decode") from error


def _raise_first_fault(value: Any, level: int, shape: list[int], kind: TensorType) -> None:
    if isinstance(value, list):
        if level >= len(shape):
            raise invalid_argument(
                f"Encountered list at unexpected level: {level} expected < {len(shape)}"
            )
        if len(value) != shape[level]:
            raise invalid_argument(
                f"Encountered list at unexpected size: {len(value)} at level: {level} "
                f"expected size: {shape[level]}"
            )
        for element in value:
            _raise_first_fault(element, level + 1, shape, kind)
        return
    if level != len(shape):
        raise invalid_argument(
            f"JSON Value: {show(value)} found at incorrect level: {level + 1} in the JSON DOM. "
            f"Expected at level: {len(shape)}"
        )
    _check_leaf(value, kind)


def _check_leaf(value: Any, kind: TensorType) -> None:
    expected = kind.numpy.kind
    if type(value) not in _LEAF_TYPES[expected]:
        raise _type_error(value, kind)
    if expected in "iu" and not _in_range([value], kind):
        # TensorFlow Serving wraps 300 to 44 for a uint8; a wrong answer is worse than this error.
        raise _type_error(value, kind)
    if expected == "f" and not _in_range([value], kind):
        raise invalid_argument(
            f"Cannot convert JSON value: {show(value)} to {kind.name} without loss of precision."
        )


def _type_error(value: Any, kind: TensorType) -> StatusError:
    if value is None or isinstance(value, bool):
        json_type = {None: "Null", True: "True", False: "False"}[value]
    else:
        json_type = _KINDS[type(value)]
    return invalid_argument(
        f"JSON Value: {show(value)} Type: {json_type} is not of expected type: {kind.name}"
    )


def array_to_json(array: np.ndarray, *, as_bytes: bool) -> Any:
    """Converts an array to nested lists; strings become text or, `as_bytes`, `{"b64": ...}`."""
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        # The shortest text that reads back as the same float32: 0.1, not 0.10000000149011612.
        return array.astype("U").astype(np.float64).tolist()
    if array.dtype != object:
        return array.tolist()
    texts = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        value = array[index]
        texts[index] = (
            {"b64": base64.b64encode(value).decode()}
            if as_bytes
            else value.decode(errors="replace")
        )
    return texts.tolist()
