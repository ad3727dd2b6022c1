"""Sends requests over REST: JSON by column, byte strings as base64."""

import base64
import gzip
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import requests

from serving.client.transport import Reply, Signature, Spec, Tls, Transport, is_loopback
from serving.protocol import status
from serving.protocol.model_spec import ModelSpec
from serving.protocol.status import StatusError
from serving.protocol.tensors import BY_PROTO_NAME, as_array

_COMPRESS_ABOVE = 64 * 1024  # bytes of a body; digits shrink to a quarter at the fastest level

# The status of each HTTP code; where several share a code (400, 409, 500), the first of them.
_CODES = {http: code for code, http in reversed(list(status.HTTP.items()))}


class RestTransport(Transport):
    """A transport over HTTP that keeps connections open, one session for each thread.

    `url` is http://host:port or https://host:port, followed by any path that precedes `/v1`.
    """

    def __init__(self, url: str, model: ModelSpec, tls: Tls | None = None):
        self._url = f"{url.rstrip('/')}/v1/models/{model.name}"
        if model.version is not None:
            self._url += f"/versions/{model.version}"
        elif model.label:
            self._url += f"/labels/{model.label}"
        self._tls = tls or Tls()
        self._local = threading.local()  # requests does not promise that threads may share one
        self._sessions: list[requests.Session] = []
        self._signatures: dict[str, Signature] = {}

    def signatures(self, timeout: float) -> dict[str, Signature]:
        """Fetches the signatures from the path `/metadata`."""
        document = self._call("GET", "/metadata", None, timeout)
        table = document["metadata"]["signature_def"]["signature_def"]
        self._signatures = {
            name: Signature(_specs(definition["inputs"]), _specs(definition["outputs"]))
            for name, definition in table.items()
        }
        return self._signatures

    def run(self, signature_name: str, inputs: Mapping[str, np.ndarray], timeout: float) -> Reply:
        """Sends one `:predict` request; `timeout` is in seconds."""
        specs = (self._signatures or self.signatures(timeout))[signature_name].outputs
        columns = {name: _to_json(array) for name, array in inputs.items()}
        body = json.dumps({"signature_name": signature_name, "inputs": columns}).encode()
        values = self._call("POST", ":predict", body, timeout)["outputs"]
        if len(specs) == 1:  # a single output comes without its name
            values = {next(iter(specs)): values}
        return Reply(
            {name: _from_json(value, specs[name].dtype) for name, value in values.items()}, None
        )

    def _call(self, method: str, path: str, body: bytes | None, timeout: float) -> Any:
        headers = {"Content-Type": "application/json"}
        if body and len(body) > _COMPRESS_ABOVE:
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        try:
            response = self._session().request(
                method, self._url + path, data=body, headers=headers, timeout=timeout
            )
        except requests.Timeout as error:
            raise StatusError(status.DEADLINE_EXCEEDED, "Deadline Exceeded") from error
        except requests.ConnectionError as error:
            raise StatusError(status.UNAVAILABLE, str(error)) from error
        return _read_response(response)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            # A proxy does not reach this machine: variables that name one are for other hosts.
            session.trust_env = not is_loopback(urlsplit(self._url).hostname or "")
            if self._tls.authority:
                session.verify = str(self._tls.authority)
            if self._tls.certificate and self._tls.key:
                session.cert = (str(self._tls.certificate), str(self._tls.key))
            self._local.session = session
            self._sessions.append(session)
        return self._local.session

    def close(self) -> None:
        """Closes the sessions of all threads."""
        for session in self._sessions:
            session.close()


def _read_response(response: requests.Response) -> Any:
    code = _CODES.get(response.status_code, status.UNKNOWN)
    try:
        document = response.json()
    except ValueError as error:
        message = f"HTTP {response.status_code}, not JSON: {response.text[:200]}"
        raise StatusError(code, message) from error
    if response.status_code != 200:
        message = document.get("error", "") if isinstance(document, dict) else str(document)
        raise StatusError(code, message)
    return document


def _to_json(array: np.ndarray) -> Any:
    if array.dtype != object:
        return array.tolist()
    if array.ndim > 1:
        return [_to_json(row) for row in array]
    # Base64 always: a text need not be valid UTF-8 either.
    return [{"b64": base64.b64encode(value).decode()} for value in array]


def _from_json(value: Any, dtype: np.dtype) -> np.ndarray:
    return as_array(np.array(value)) if dtype.kind == "O" else np.array(value, dtype)


def _specs(infos: Mapping[str, Any]) -> dict[str, Spec]:
    return {
        name: Spec(BY_PROTO_NAME[info["dtype"]].numpy, _shape(info["tensor_shape"]))
        for name, info in infos.items()
        if info["dtype"] in BY_PROTO_NAME
    }


def _shape(shape: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    if shape.get("unknown_rank"):
        return None
    sizes = [int(dim["size"]) for dim in shape.get("dim", [])]
    return tuple(None if size < 0 else size for size in sizes)
