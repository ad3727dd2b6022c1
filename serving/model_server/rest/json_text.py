"""Parses JSON with RapidJSON's error messages, and prints values for error messages."""

import json
import re
from typing import Any

from serving.protocol.status import StatusError, invalid_argument

# Characters; otherwise the error of a large request would be a message of many megabytes.
_MAX_SHOWN = 2048

_DECODER = json.JSONDecoder()
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

# The messages of Python's parser, and RapidJSON's for the same fault.
_MESSAGES = {
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Illegal trailing comma before end of object": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
    "Invalid control character at": "Invalid encoding in string.",
}


def parse_object(body: bytes) -> dict[str, Any]:
    """Parses a request's body, a JSON object; text after the first complete value is ignored."""
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _parse_error("Invalid encoding in string.", error.start) from error
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if start == len(text):
        raise _parse_error("The document is empty.", len(body))
    try:
        value, _ = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode())
        raise _parse_error(_rapidjson_message(error, text), offset) from error
    except RecursionError as error:
        raise invalid_argument("JSON Parse error: The document is nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise invalid_argument(f"JSON Parse error: {error}") from error
    if not isinstance(value, dict):
        raise invalid_argument(f"JSON Value: {show(value)} Is not object")
    return value


def show(value: Any, *, limit: int | None = _MAX_SHOWN) -> str:
    """Prints a value as TensorFlow Serving does (indented by four), cut after `limit`."""
    try:
        text = json.dumps(value, indent=4, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply)"
    return text if limit is None or len(text) <= limit else f"{text[:limit]}..."


def _rapidjson_message(error: json.JSONDecodeError, text: str) -> str:
    if error.msg == "Expecting ',' delimiter":
        open_brackets: list[str] = []
        for token in _STRING_OR_BRACKET.findall(text[: error.pos]):
            if token in "[{":
                open_brackets.append(token)
            elif token in "]}":
                open_brackets.pop()
        if open_brackets[-1] == "{":
            return "Missing a comma or } after an object member."
        return "Missing a comma or ] after an array element."
    return _MESSAGES.get(error.msg, "Invalid value.")


def _parse_error(message: str, offset: int) -> StatusError:
    return invalid_argument(f"JSON Parse error: {message} at offset: {offset}")
