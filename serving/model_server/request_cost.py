"""Upper bounds of what a body will take in memory once it is unpacked, found before it is."""

from collections.abc import Iterator

# Bytes that Python's parser and the lists and arrays after it take for each sign of a JSON text,
# rounded up from CPython's objects of 64 bits: a number 32, a list 72, a dictionary 250 and a list
# of its pairs, and their places in lists.
_JSON_COSTS = {b",": 56, b"[": 136, b"{": 480, b":": 200}
# A message's bytes, what protobuf parses it to, the array of it and TensorFlow's copy.
_COPIES = 4
_PIECE = 2**18
_FLAT = 30  # of small messages; no message of these services unpacks to more
_SMALL_BYTES = 64 * 1024
_MAX_FIELDS = 20_000  # that are looked at; with more, a message counts as small fields only
_PER_FIELD = 160  # a field of a few bytes becomes an object in C and one in Python
_PACKED_INTEGERS = 12  # a byte of packed integers becomes an int32, twice, and a wider array


def json_bytes(body: bytes) -> int:
    """The memory of a JSON document: its text, its values and their arrays."""
    text = 1 if body.isascii() else 4
    return 2 * text * len(body) + sum(_count(body, s) * cost for s, cost in _JSON_COSTS.items())


def _count(body: bytes, sign: bytes) -> int:
    """Counts a sign piece by piece, so that other threads have the interpreter in between."""
    starts = range(0, len(body), _PIECE)
    return sum(body.count(sign, start, start + _PIECE) for start in starts)


def predict_request_bytes(payload: bytes) -> int:
    """The memory of a serialized PredictRequest: parsed, as arrays, and TensorFlow's copy."""
    if len(payload) <= _SMALL_BYTES:
        return _FLAT * len(payload)
    limit = _FLAT * len(payload)
    total = _COPIES * len(payload)
    for number, cost in enumerate(_costs(payload, 0, len(payload), _REQUEST)):
        total += cost
        if total >= limit or number > _MAX_FIELDS:
            return limit
    return total


def flat_bytes(payload: bytes) -> int:
    """The memory of any other request."""
    return _FLAT * len(payload)


# The messages that hold others, by field number; the rest are values. A repeated field may come in
# pieces, so each piece counts.
_SHAPE: dict[int, dict] = {2: {}}
_TENSOR: dict[int, dict] = {2: _SHAPE}
_REQUEST: dict[int, dict] = {1: {}, 2: {2: _TENSOR}}
_PACKED = frozenset({7, 10, 11, 13, 16, 17})  # integers of a TensorProto


def _costs(data: bytes, start: int, end: int, message: dict[int, dict]) -> Iterator[int]:
    """The cost of each field beyond `_COPIES` times its bytes; stops at what is not a message."""
    while start < end:
        yield _PER_FIELD
        tag, start = _varint(data, start, end)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            _, start = _varint(data, start, end)
        elif kind in (1, 5):
            start += 8 if kind == 1 else 4
        elif kind == 2:
            size, start = _varint(data, start, end)
            if message is _TENSOR and number in _PACKED:
                yield _PACKED_INTEGERS * size
            elif number in message:
                yield from _costs(data, start, min(start + size, end), message[number])
            start += size
        else:
            return


def _varint(data: bytes, start: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while start < end and shift < 64:
        octet = data[start]
        value |= (octet & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if octet < 0x80:
            break
    return value, start
