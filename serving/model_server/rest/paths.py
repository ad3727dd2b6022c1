"""Reads what a path of the REST API asks for, as TensorFlow Serving's expressions do.

They match the raw path with its query, so that `%2F` may be part of a model's name; only then are
name and label decoded. The words of the path may be in any case, but the verb must be lower case.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from serving.protocol.model_spec import ModelSpec
from serving.protocol.status import invalid_argument

_VERSION = r"(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?"
_FLAGS = re.IGNORECASE | re.ASCII
_POST = re.compile(rf"/v1/models/([^/:]+){_VERSION}:(classify|regress|predict)", _FLAGS)
_GET = re.compile(rf"/v1/models(?:/([^/:]+))?{_VERSION}(?:/(metadata))?", _FLAGS)
_HOST = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_MAX_INT64 = 2**63 - 1


class Target(NamedTuple):
    """The model that a request is for, and what it asks of it."""

    spec: ModelSpec
    verb: str  # classify, regress, predict; status, metadata


def read_path(method: str, raw_path: str) -> Target:
    """Reads method and path, percent signs as they came; INVALID_ARGUMENT for what is no call."""
    path = _HOST.sub("", raw_path, count=1)
    expression = {"POST": _POST, "GET": _GET}.get(method)
    match = expression.fullmatch(path) if expression else None
    name, version, label, verb = match.groups("") if match else ("", "", "", "")
    spec = ModelSpec(_decode(name), _version(version), _decode(label))
    if match is None or (verb != verb.lower() and method == "POST"):
        raise invalid_argument(f"Malformed request: {method} {path}")
    if not name:
        raise invalid_argument("Missing model name in request.")
    if method == "GET":
        return Target(spec, "metadata" if verb == "metadata" else "status")
    return Target(spec, verb)


def _version(digits: str) -> int | None:
    if not digits:
        return None
    if len(digits.lstrip("0")) > 19 or int(digits) > _MAX_INT64:
        raise invalid_argument(f"Failed to convert version: {digits} to numeric.")
    return int(digits)


def _decode(part: str) -> str:
    return unquote_to_bytes(part).decode(errors="replace")
