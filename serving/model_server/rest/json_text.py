"""Parses the body of a request: by Python's parser, and exactly as RapidJSON where they differ.

Python's parser is in C, and agrees on nearly all bodies. What it refuses or cannot decide
(`Unusual`) is parsed again by `exact_json`, so that value, message and offset are RapidJSON's.
Bodies above 256 KiB keep Python's verdict in RapidJSON's words: the exact parser would occupy the
server for too long.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from serving.model_server.rest import exact_json
from serving.model_server.rest.json_show import show
from serving.protocol.status import StatusError, invalid_argument

MAX_EXACT = 2**18  # bytes of a body that is parsed exactly
# Numbers that Python keeps whole or makes infinite, where RapidJSON makes doubles or refuses.
_DOUBTFUL = re.compile(rb"[0-9]{19}|[eE]\+?[0-9]{3}")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_Result = TypeVar("_Result")

# The messages of Python's parser, and RapidJSON's for the same fault.
_MESSAGES = {
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Illegal trailing comma before end of object": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
    "Invalid control character at": "Invalid escape character in string.",
}


class Unusual(Exception):
    """What was read may not be what RapidJSON reads: infinities, values that are passed over."""


def read_body(body: bytes, read: Callable[[dict[str, Any], bool], _Result]) -> _Result:
    """Applies `read(document, exact)` to the JSON object of a body.

    It raises StatusError, or Unusual where `exact` is False. It is applied again to what the exact
    parser reads, if that may differ.
    """
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    if len(body) > MAX_EXACT:
        return read(_an_object(_parse(body, _LARGE)), True)
    # Python's parser reads the escapes of surrogates in a way of its own.
    if b"\\" not in body or b"\\ud" not in body.lower():
        with suppress(Unusual):
            document = _parse_or_none(body)
            if document is not None:
                try:
                    return read(_an_object(document), False)
                except StatusError:
                    if not _DOUBTFUL.search(body):
                        raise
    return read(_an_object(exact_json.parse(body)), True)


def _parse_or_none(body: bytes) -> Any:
    try:
        return _parse(body, _SMALL)
    except StatusError:
        return None


def is_plain(value: Any) -> bool:
    """Tells whether a value that is passed over is the same for every parser."""
    return value is None or isinstance(value, str | bool)


def _an_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_argument(f"JSON Value: {show(value)} Is not object")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unusual("a name twice in an object")
    return found


_SMALL = json.JSONDecoder(object_pairs_hook=_without_duplicates)
_LARGE = json.JSONDecoder(object_pairs_hook=exact_json.make_object)


def _parse(body: bytes, decoder: json.JSONDecoder) -> Any:
    text = body[exact_json.byte_order_mark(body) :].decode(errors="surrogateescape")
    start = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        return decoder.raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode(errors="surrogateescape"))
        message = _rapidjson_message(error, text)
        raise invalid_argument(f"JSON Parse error: {message} at offset: {offset}") from error
    except RecursionError as error:
        raise invalid_argument("JSON Parse error: The document is nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise invalid_argument(f"JSON Parse error: {error}") from error


def _rapidjson_message(error: json.JSONDecodeError, text: str) -> str:
    if error.msg == "Expecting ',' delimiter":
        open_brackets: list[str] = []
        for token in _STRING_OR_BRACKET.findall(text[: error.pos]):
            if token in "[{":
                open_brackets.append(token)
            elif token in "]}":
                open_brackets.pop()
        if open_brackets[-1] == "{":
            return "Missing a comma or '}' after an object member."
        return "Missing a comma or ']' after an array element."
    return _MESSAGES.get(error.msg, "Invalid value.")
