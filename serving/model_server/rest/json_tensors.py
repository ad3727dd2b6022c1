"""Converts a JSON value to an array, and back.

Nested lists are flattened level by level with whole-list operations, several times faster than a
recursive walk. Only an invalid value is walked, to report its first fault as TensorFlow Serving
does.
"""

import base64
import binascii
import re
from contextlib import suppress
from itertools import chain
from typing import Any

import numpy as np

from serving.model_server.rest.decimals import shortest_decimals
from serving.model_server.rest.json_show import show
from serving.protocol.status import UNIMPLEMENTED, StatusError, invalid_argument
from serving.protocol.tensors import BY_NUMBER, TensorType

_LEAF_TYPES: dict[str, set[type]] = {
    "b": {bool},
    "f": {int, float},
    "i": {int},
    "u": {int},
    "O": {str, dict},
}
_NOT_IN_JSON = {"half", "uint16"}  # as every type that is not in BY_NUMBER
_MAX_RANK = 32  # NumPy's
_KINDS = {list: "Array", str: "String", int: "Number", float: "Number"}
_BASE64 = re.compile(r"([A-Za-z0-9+/]*)([=.]*)")
_BLANKS = str.maketrans("", "", " \t\n\v\f\r")


def tensor_type(number: int) -> TensorType:
    """Gives the type with a number in types.proto, also one that JSON cannot express."""
    if number in BY_NUMBER:
        return BY_NUMBER[number]
    import tensorflow as tf  # not at the top: `large_bodies` has none
    from tensorflow.core.framework import types_pb2

    name = types_pb2.DataType.Name(number).removeprefix("DT_").lower()
    return TensorType(number, name, np.dtype(tf.dtypes.as_dtype(number).as_numpy_dtype), "")


def is_in_json(kind: TensorType) -> bool:
    """Tells whether values of a type can be read and written in JSON."""
    return kind.number in BY_NUMBER and kind.name not in _NOT_IN_JSON


def array_from_json(value: Any, kind: TensorType) -> np.ndarray:
    """Converts a JSON value to an array; the first element of each list gives the shape."""
    shape = dense_shape(value)
    level = [value]
    for size in shape:
        if set(map(type, level)) != {list} or set(map(len, level)) != {size}:
            break
        level = list(chain.from_iterable(level))
    else:
        types = set(map(type, level))
        if is_in_json(kind) and types <= _LEAF_TYPES[kind.numpy.kind] and _in_range(level, kind):
            return _to_array(level, kind, shape)
    _raise_first_fault(value, shape, kind)
    return _to_array(level, kind, shape)


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
    return type(value) is dict and len(value) == 1 and isinstance(value.get("b64"), str)


def _in_range(leaves: list, kind: TensorType) -> bool:
    """Tells whether an integer type can hold every number."""
    if kind.numpy.kind not in "iu" or not leaves:
        return True
    limits = np.iinfo(kind.numpy)
    return bool(limits.min <= min(leaves) and max(leaves) <= limits.max)


def _to_array(leaves: list, kind: TensorType, shape: list[int]) -> np.ndarray:
    if len(shape) > _MAX_RANK:
        raise invalid_argument(
            f"JSON Value is nested {len(shape)} lists deep; a tensor has at most {_MAX_RANK}"
        )
    if kind.name != "string":
        try:
            with np.errstate(over="ignore"):  # as in TensorFlow Serving, 1e39 is an infinite float
                return np.array(leaves, kind.numpy).reshape(shape)
        except OverflowError as error:
            message = "JSON Parse error: Number too big to be stored in double."
            raise invalid_argument(message) from error
    flat = np.empty(len(leaves), object)
    flat[:] = [_decode(leaf) for leaf in leaves]
    return flat.reshape(shape)


def _decode(leaf: Any) -> bytes:
    if isinstance(leaf, str):
        return encode_text(leaf)
    if not is_base64(leaf):
        raise invalid_argument(f"JSON Value: {show(leaf)} not formatted correctly for base64 data")
    return decode_base64(leaf["b64"])


def encode_text(text: str) -> bytes:
    """Encodes a string of a request; bytes that were not UTF-8 are again what they were."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError as error:
        message = "JSON Parse error: The surrogate pair in string is invalid."
        raise invalid_argument(message) from error


def decode_base64(text: str) -> bytes:
    """Decodes base64 with or without padding; blanks and line breaks are passed over."""
    if not len(text) % 4:  # otherwise Python lets a sign of padding too many pass
        with suppress(ValueError):
            return binascii.a2b_base64(text, strict_mode=True)
    match = _BASE64.fullmatch(text.translate(_BLANKS))
    if match:
        digits, padding = match.groups()
        missing = -len(digits) % 4
        if missing < 3 and len(padding) in (0, missing):
            return binascii.a2b_base64(digits + "=" * missing)
    raise invalid_argument("Unable to base64 decode")


def _raise_first_fault(value: Any, shape: list[int], kind: TensorType) -> None:
    rank = len(shape)
    waiting = [iter([value])]  # the rest of each list above, which may be nested to any depth
    while waiting:
        for element in waiting[-1]:
            level = len(waiting) - 1
            if not isinstance(element, list):
                if level != rank:
                    raise invalid_argument(
                        f"JSON Value: {show(element)} found at incorrect level: {level + 1} in "
                        f"the JSON DOM. Expected at level: {rank}"
                    )
                _check_leaf(element, kind)
                continue
            if level >= rank:
                raise invalid_argument(
                    f"Encountered list at unexpected level: {level} expected < {rank}"
                )
            if len(element) != shape[level]:
                raise invalid_argument(
                    f"Encountered list at unexpected size: {len(element)} at level: {level} "
                    f"expected size: {shape[level]}"
                )
            waiting.append(iter(element))
            break
        else:
            waiting.pop()


def _check_leaf(value: Any, kind: TensorType) -> None:
    if isinstance(value, dict):
        if kind.name != "string":
            raise _type_error(value, kind)
        _decode(value)
        return
    if not is_in_json(kind):
        message = f"Conversion of JSON Value: {show(value)} to type: {kind.name}"
        raise StatusError(UNIMPLEMENTED, message)
    # TensorFlow Serving wraps 300 to 44 for a uint8; a wrong answer is worse than an error.
    if type(value) not in _LEAF_TYPES[kind.numpy.kind] or not _in_range([value], kind):
        raise _type_error(value, kind)


def json_type(value: Any) -> str:
    """Names the type of a JSON value as RapidJSON does."""
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    return "Object" if isinstance(value, dict) else _KINDS[type(value)]


def _type_error(value: Any, kind: TensorType) -> StatusError:
    return invalid_argument(
        f"JSON Value: {show(value)} Type: {json_type(value)} is not of expected type: {kind.name}"
    )


def array_to_json(array: np.ndarray, *, as_bytes: bool) -> Any:
    """Converts an array to nested lists; strings become text or, `as_bytes`, `{"b64": ...}`."""
    import tensorflow as tf

    kind = tensor_type(tf.dtypes.as_dtype(array.dtype).as_datatype_enum)
    if array.size and not is_in_json(kind):
        raise invalid_argument(f"Failed to write JSON value for tensor type: {kind.name}")
    if array.dtype == np.float32:
        return shortest_decimals(array.ravel()).reshape(array.shape).tolist()
    if array.dtype != object:
        return array.tolist()
    texts = np.empty(array.shape, object)
    for index in np.ndindex(array.shape):
        value: Any = array[index]
        texts[index] = (
            {"b64": base64.b64encode(value).decode()}
            if as_bytes
            else value.decode(errors="replace")
        )
    return texts.tolist()
