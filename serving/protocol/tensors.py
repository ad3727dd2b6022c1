"""Converts between TensorProto and NumPy, as fast as a memory copy where the format allows it.

It takes the generated TensorProto of TensorFlow and that of `serving.protocol.messages`.
Strings are arrays of dtype `object` that hold `bytes`.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from serving.protocol import status


class TensorType(NamedTuple):
    """A DataType of TensorFlow."""

    number: int  # in types.proto, where its name is `DT_` and `name` in capitals
    name: str  # in TensorFlow's messages
    numpy: np.dtype  # `object` for strings
    field: str  # of TensorProto, for values that are not in `tensor_content`


_TYPES = [
    TensorType(number, name, np.dtype(numpy), f"{field}_val")
    for number, name, numpy, field in [
        (1, "float", "float32", "float"),
        (2, "double", "float64", "double"),
        (3, "int32", "int32", "int"),
        (4, "uint8", "uint8", "int"),
        (5, "int16", "int16", "int"),
        (6, "int8", "int8", "int"),
        (7, "string", "object", "string"),
        (9, "int64", "int64", "int64"),
        (10, "bool", "bool", "bool"),
        (17, "uint16", "uint16", "int"),
        (19, "half", "float16", "half"),
        (22, "uint32", "uint32", "uint32"),
        (23, "uint64", "uint64", "uint64"),
    ]
]
BY_NUMBER = {kind.number: kind for kind in _TYPES}
BY_PROTO_NAME = {f"DT_{kind.name.upper()}": kind for kind in _TYPES}
_BY_NUMPY = {kind.numpy: kind for kind in _TYPES}

# The fields whose packed wire format is the array's own bytes: their tags, "length delimited".
_PACKED_TAGS = {"float_val": b"\x2a", "double_val": b"\x32"}
_CONTENT_TAG = b"\x22"  # of tensor_content


def as_array(values: Any) -> np.ndarray:
    """Converts values to an array; text of any kind becomes an `object` array of UTF-8 bytes."""
    leaf = values
    while isinstance(leaf, list | tuple) and leaf:
        leaf = leaf[0]
    # NumPy's string types would drop trailing zero bytes.
    array = np.asarray(values, object if isinstance(leaf, str | bytes) else None)
    if array.dtype.kind in "US":
        array = array.astype(object)
    if array.dtype == object:
        encoded = [v.encode() if isinstance(v, str) else bytes(v) for v in array.ravel()]
        flat = np.empty(len(encoded), object)
        flat[:] = encoded
        return flat.reshape(array.shape)
    return array


def write_tensor(array: np.ndarray, tensor: Any, *, typed: bool = False) -> None:
    """Fills an empty TensorProto: `typed` as TensorFlow Serving does, else by `tensor_content`."""
    kind = _BY_NUMPY.get(array.dtype)
    if kind is None:
        raise TypeError(f"no TensorFlow type for NumPy's {array.dtype}")
    head = _head(kind.number, array.shape)
    tag = _PACKED_TAGS.get(kind.field) if typed else _CONTENT_TAG
    if kind.field != "string_val" and tag is not None:
        # One piece of wire format: a few calls of protobuf's less for each tensor.
        pieces = (head, tag, varint(array.nbytes), np.ascontiguousarray(array).data)
        tensor.MergeFromString(b"".join(pieces))
        return
    tensor.MergeFromString(head)
    bits = array.view(np.uint16) if kind.field == "half_val" else array
    getattr(tensor, kind.field).extend(bits.ravel().tolist())


@lru_cache(1024)
def _head(number: int, shape: tuple[int, ...]) -> bytes:
    """The wire format of a TensorProto's type and shape."""
    sizes = [b"\x08" + varint(size) for size in shape]  # field 1 of Dim
    dims = b"".join(b"\x12" + varint(len(size)) + size for size in sizes)  # field 2 of the shape
    return b"\x08" + varint(number) + b"\x12" + varint(len(dims)) + dims  # fields 1 and 2


def read_tensor(
    tensor: Any, *, max_bytes: int | None = None, content: memoryview | None = None
) -> np.ndarray:
    """Reads the array of a TensorProto; it may be a read-only view of the message's bytes.

    As in TensorFlow, the last of too few typed values is repeated. ValueError: the message is not a
    tensor, or would expand to more than `max_bytes`. `content` stands for its `tensor_content`.
    """
    kind = BY_NUMBER.get(tensor.dtype)
    if kind is None or tensor.tensor_shape.unknown_rank:
        raise ValueError("unknown type or rank")
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if any(size < 0 for size in shape) or len(shape) > 32:  # what NumPy 1 can hold
        raise ValueError("negative dimension or too many of them")
    size = math.prod(shape)  # Python's integers do not overflow as NumPy's product would
    if max_bytes is not None and size * kind.numpy.itemsize > max_bytes:
        raise ValueError(f"expands to {size * kind.numpy.itemsize} bytes, more than {max_bytes}")
    content = content or tensor.tensor_content
    if content and kind.field != "string_val":
        flat = np.frombuffer(content, kind.numpy)
        if flat.size != size:
            raise ValueError("tensor_content does not fit the shape")
    else:
        flat = _repeat_last(_typed_values(getattr(tensor, kind.field), kind), size)
    return flat.reshape(shape)


def _typed_values(values: Sequence[Any], kind: TensorType) -> np.ndarray:
    if kind.field == "string_val":
        flat = np.empty(len(values), object)
        flat[:] = list(values)
        return flat
    if kind.field == "half_val":
        return np.fromiter(values, np.uint16, len(values)).view(np.float16)
    if kind.field == "int_val":  # wider than the type: TensorFlow casts, it does not reject
        return np.fromiter(values, np.int32, len(values)).astype(kind.numpy)
    return np.fromiter(values, kind.numpy, len(values))


def _repeat_last(flat: np.ndarray, size: int) -> np.ndarray:
    if flat.size == size:
        return flat
    if flat.size > size:
        raise ValueError("more values than elements")
    if not flat.size:  # TensorFlow's default for absent values
        empty: Any = b"" if flat.dtype == object else 0
        return np.full(size, empty, flat.dtype)
    return np.concatenate([flat, np.full(size - flat.size, flat[-1], flat.dtype)])


def varint(value: int) -> bytes:
    """The wire format of an integer that is not negative: 7 bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def unpack_or_invalid(
    alias: str, tensor: Any, max_bytes: int | None, content: memoryview | None = None
) -> np.ndarray:
    """Reads a tensor for a server, with TensorFlow Serving's error for an invalid one."""
    try:
        return read_tensor(tensor, max_bytes=max_bytes, content=content)
    except ValueError as error:
        raise status.invalid_argument(f"tensor parsing error: {alias}") from error
