"""Prints JSON values in error messages as TensorFlow Serving does."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np

from serving.model_server.rest.exact_json import members

_MAX_SHOWN = 256  # bytes
_STRING_SIGNS = re.compile(r'[\x00-\x1f"\\]')
_SHORT_ESCAPES = {ord(sign): f"\\{letter}" for sign, letter in zip('\b\f\n\r\t"\\', 'bfnrt"\\')}
# Within lists, numbers from 1e-6 up to 1e21 are written without an exponent.
_MIN_POINT, _MAX_PLAIN_DIGITS = -6, 21


class _NotWritten(Exception):
    """A number that RapidJSON's writer refuses."""


def show(value: Any) -> str:
    """Prints a value, indented by four, cut after 256 bytes."""
    if isinstance(value, float):
        return decimal(value, np.float32 if abs(value) <= 3.4028234e38 else np.float64)
    text = ""
    with suppress(_NotWritten):
        for piece in _pieces(value, "\n"):
            text += piece
            if len(text) > _MAX_SHOWN:
                break
    encoded = text.encode(errors="surrogateescape")
    if len(encoded) <= _MAX_SHOWN:
        return text
    return encoded[:_MAX_SHOWN].decode(errors="surrogateescape") + "..."


def decimal(value: float, kind: Any = np.float32) -> str:
    """Prints a number of a NumPy type: six digits, or as many as it takes to read it back."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "-Infinity" if value < 0 else "Infinity"
    rounded = kind(value)
    text = f"{float(rounded):.6g}"
    if kind(text) != rounded:
        text = f"{float(rounded):.{9 if kind is np.float32 else 17}g}"
    return text if "." in text or "e" in text else text + ".0"


def _pieces(value: Any, line: str) -> Iterator[str]:
    """Yields the text in pieces; NaN or an infinity in a list ends it, as RapidJSON's writer."""
    if isinstance(value, list | dict) and value:
        opening, closing = "[]" if isinstance(value, list) else "{}"
        entries = ((None, v) for v in value) if isinstance(value, list) else members(value)
        for count, (name, entry) in enumerate(entries):
            yield ("," if count else opening) + line + "    "
            if name is not None:
                yield f"{_string(name)}: "
            if isinstance(entry, float) and not math.isfinite(entry):
                raise _NotWritten
            yield from _pieces(entry, line + "    ")
        yield line + closing
    elif isinstance(value, str):
        yield _string(value)
    elif isinstance(value, float):
        yield _double(value)
    else:
        yield json.dumps(value)


def _string(text: str) -> str:
    escaped = text[: _MAX_SHOWN + 1]
    return f'"{_STRING_SIGNS.sub(_escape, escaped)}"'


def _escape(match: re.Match) -> str:
    code = ord(match.group())
    return _SHORT_ESCAPES.get(code, f"\\u{code:04X}")


def _double(value: float) -> str:
    """Prints the shortest text that reads back the same, as RapidJSON lays it out."""
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    exponent = int(exponent) + len(digits) - len(text)
    point = len(text) + exponent  # the place of the decimal point, counted from the first digit
    if exponent >= 0 and point <= _MAX_PLAIN_DIGITS:
        text += "0" * exponent + ".0"
    elif 0 < point <= _MAX_PLAIN_DIGITS:
        text = f"{text[:point]}.{text[point:]}"
    elif _MIN_POINT < point <= 0:
        text = f"0.{'0' * -point}{text}"
    else:
        text = f"{text[0]}{'.' * (len(text) > 1)}{text[1:]}e{point - 1}"
    return "-" * sign + text
