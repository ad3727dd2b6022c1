"""Cuts the large `tensor_content` of inputs out of a serialized PredictRequest, without a copy.

protobuf's parser would copy it, and hold Python's interpreter meanwhile.
"""

from collections.abc import Iterator
from typing import NamedTuple

from serving.protocol.tensors import varint

_LARGE = 64 * 1024  # bytes; smaller contents stay
_MAX_FIELDS = 10_000
# Numbers of fields: of PredictRequest, twice of an entry of its map, of TensorProto.
_INPUTS, _KEY, _VALUE, _CONTENT = 2, 1, 2, 4
_LENGTH_DELIMITED = 2


class _Field(NamedTuple):
    number: int
    kind: int
    whole: memoryview  # with its tag
    value: memoryview


def take_contents(payload: bytes) -> tuple[bytes, dict[str, memoryview]]:
    """Gives the message without large contents, and these by the input's name.

    Raises:
      ValueError: the message is not of the usual form, and must be parsed as it is.
    """
    pieces, contents, names = [], {}, set()
    for field in _fields(memoryview(payload)):
        if (field.number, field.kind) != (_INPUTS, _LENGTH_DELIMITED):
            pieces.append(field.whole)
            continue
        by_number = _once(_fields(field.value))
        name = bytes(by_number[_KEY].value).decode() if _KEY in by_number else ""
        if name in names or set(by_number) > {_KEY, _VALUE}:
            raise ValueError("two inputs of one name, or unknown fields")
        names.add(name)
        tensor = list(_fields(by_number[_VALUE].value)) if _VALUE in by_number else []
        large = [f for f in tensor if f.number == _CONTENT and len(f.value) > _LARGE]
        if not large:
            pieces.append(field.whole)
            continue
        if sum(f.number == _CONTENT for f in tensor) > 1:
            raise ValueError("two contents of one tensor")
        contents[name] = large[0].value
        rest = b"".join(f.whole for f in tensor if f.number != _CONTENT)
        entry = _delimited(_KEY, name.encode()) + _delimited(_VALUE, rest)
        pieces.append(memoryview(_delimited(_INPUTS, entry)))
    return b"".join(pieces), contents


def _once(fields: Iterator[_Field]) -> dict[int, _Field]:
    found: dict[int, _Field] = {}
    for field in fields:
        if field.number in found:
            raise ValueError("a field twice")
        found[field.number] = field
    return found


def _fields(data: memoryview) -> Iterator[_Field]:
    start = count = 0
    while start < len(data):
        count += 1
        tag, begin = _varint(data, start)
        kind = tag & 7
        if kind == 0:
            _, end = _varint(data, begin)
        elif kind == _LENGTH_DELIMITED:
            size, begin = _varint(data, begin)
            end = begin + size
        else:
            end = begin + {1: 8, 5: 4}.get(kind, len(data) + 1)
        if end > len(data) or count > _MAX_FIELDS:
            raise ValueError("cut off, or too many fields")
        yield _Field(tag >> 3, kind, data[start:end], data[begin:end])
        start = end


def _varint(data: memoryview, start: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if start >= len(data):
            break
        octet = data[start]
        value |= (octet & 0x7F) << shift
        start += 1
        if octet < 0x80:
            return value, start
    raise ValueError("not a varint")


def _delimited(number: int, value: bytes) -> bytes:
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(len(value)) + value
