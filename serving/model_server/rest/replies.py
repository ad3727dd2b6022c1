"""The replies of the REST API, before the web server sends them."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """A reply's body and headers; its Content-Type has no charset, as TensorFlow Serving's."""

    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = MappingProxyType({})


def json_reply(document: Any) -> Reply:
    """Makes the reply of a document."""
    return Reply(json.dumps(document).encode())


def error_reply(message: str) -> Reply:
    """Makes the reply to a request that is refused."""
    # Bytes of the request that are not UTF-8 were read as surrogates.
    return json_reply({"error": message.encode(errors="surrogateescape").decode(errors="replace")})
