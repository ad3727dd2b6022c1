"""The Open Inference Protocol, version 2, over REST: `/v2/...` beside TensorFlow Serving's API.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol, with the binary
extension: the tensors follow the JSON, whose length `Inference-Header-Content-Length` gives. The
parameter `signature_name` of a request chooses a signature; without it, it is `serving_default`.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib import metadata
from typing import Any
from urllib.parse import unquote

import numpy as np

from serving.model_server.core import ServerCore
from serving.model_server.request_cost import json_bytes
from serving.model_server.request_log.messages import predict_messages
from serving.model_server.rest.bodies import Body
from serving.model_server.rest.json_text import MAX_EXACT
from serving.model_server.rest.open_inference_tensors import (
    describe,
    entries,
    parameters,
    read_request,
    signature_name,
    write_output,
)
from serving.model_server.rest.replies import Reply, json_reply
from serving.model_server.servable import Servable
from serving.protocol.model_spec import ModelSpec
from serving.protocol.status import NOT_FOUND, UNAVAILABLE, StatusError, invalid_argument
from serving.saved_model.signatures import ADAPT_AND_PREDICT

JSON_LENGTH = "Inference-Header-Content-Length"
_MODEL = r"/models/(?P<name>[^/]+)(?:/versions/(?P<version>\d{1,18}))?"
_GET = re.compile(rf"/v2(?:/?|/health/(?P<health>live|ready)|{_MODEL}(?P<ready>/ready)?)", re.ASCII)
_POST = re.compile(rf"/v2{_MODEL}/infer", re.ASCII)


def route(
    core: ServerCore, method: str, path: str, json_length: str, body: Body, deadline: float
) -> Callable[[], Reply]:
    """Gives the call that a request makes; NOT_FOUND if the protocol has none."""
    match = {"GET": _GET, "POST": _POST}.get(method, _POST).fullmatch(path)
    if match is None or method not in ("GET", "POST"):
        message = f"The Open Inference Protocol has no {method} {path[:200]}"
        raise StatusError(NOT_FOUND, message)
    named = match.groupdict()
    if not named["name"]:
        return lambda: _server(core, named["health"])
    version = named["version"]
    spec = ModelSpec(unquote(named["name"]), None if version is None else int(version))
    if method == "POST":
        return lambda: _infer(core, spec, json_length, body, deadline)
    return lambda: _model(core, spec, ready_only=bool(named["ready"]))


def _server(core: ServerCore, health: str | None) -> Reply:
    if health is None:
        about = {"name": "fewshot serve", "version": _version()}
        return json_reply(about | {"extensions": ["binary_tensor_data"]})
    if health == "ready" and not core.manager.is_ready():
        raise StatusError(UNAVAILABLE, "Not every model has a version that is loaded")
    return json_reply({health: True})


def _version() -> str:
    try:
        return metadata.version("fewshot-pipeline")
    except metadata.PackageNotFoundError:  # run from its files
        return "unknown"


def _model(core: ServerCore, spec: ModelSpec, *, ready_only: bool) -> Reply:
    api = "ModelReady" if ready_only else "ModelMetadata"
    with core.observe(spec.name, api, "REST"), core.servable(spec) as servable:
        if ready_only:
            return json_reply({"name": servable.name, "ready": True})
        loaded = core.manager.versions.loaded_versions()
        signature = servable.signature_defs.get(ADAPT_AND_PREDICT)
        if signature is None:
            known = ", ".join(name for name in sorted(servable.signature_defs) if name[:2] != "__")
            raise invalid_argument(
                f"The model must have the signature {ADAPT_AND_PREDICT}; it has {known}"
            )
        return json_reply(
            {
                "name": servable.name,
                "versions": [str(v) for name, v in sorted(loaded) if name == spec.name],
                "platform": "tensorflow_savedmodel",
                "inputs": describe(signature.inputs),
                "outputs": describe(signature.outputs),
            }
        )


def _infer(
    core: ServerCore, spec: ModelSpec, json_length: str, body: Body, deadline: float
) -> Reply:
    with core.observe(spec.name, "ModelInfer", "REST"):
        data = body.unpacked()
        if json_length and not (json_length.isdecimal() and int(json_length) <= len(data)):
            raise invalid_argument(
                f"`{JSON_LENGTH}` must be at most the {len(data)} bytes of the body; "
                f"got {json_length[:50]}"
            )
        text, raw = data, b""
        if json_length:
            text, raw = data[: int(json_length)], data[int(json_length) :]
        body.share.add(json_bytes(text) + 3 * len(raw))
        with core.servable(spec) as servable:
            if len(text) > MAX_EXACT:
                document, arrays = core.large.read_inference(servable, text, raw, deadline)
            else:
                inputs = {name: s.inputs for name, s in servable.signature_defs.items()}
                document, arrays = read_request(text, raw, inputs)
            name, wanted = signature_name(document), list(_binary_by_output(document))
            readers = {alias: lambda array=array: array for alias, array in arrays.items()}
            outputs = core.predict(servable, name, readers, wanted, deadline)
            messages = partial(predict_messages, servable, name, arrays, outputs, wanted)
            core.log("Predict", servable.name, messages)
            return _write(document, servable, outputs)


def _binary_by_output(document: Mapping[str, Any]) -> dict[str, bool | None]:
    """Gives the outputs that are asked for, and whether each is to be binary; empty for all."""
    return {
        name: parameters(entry).get("binary_data") for name, entry in entries(document, "outputs")
    }


def _write(
    document: Mapping[str, Any], servable: Servable, outputs: Mapping[str, np.ndarray]
) -> Reply:
    default = parameters(document).get("binary_data_output") is True
    binary = _binary_by_output(document)
    written, pieces = [], []
    for name, array in outputs.items():
        wanted = binary.get(name)
        entry, piece = write_output(
            name, np.asarray(array), binary=default if wanted is None else wanted is True
        )
        written.append(entry)
        pieces.append(piece)
    head = {"model_name": servable.name, "model_version": str(servable.version)}
    if isinstance(document.get("id"), str):
        head["id"] = document["id"]
    reply = json_reply(head | {"outputs": written})
    if not any("parameters" in entry for entry in written):
        return reply
    headers = {JSON_LENGTH: str(len(reply.body))}
    return Reply(b"".join([reply.body, *pieces]), "application/octet-stream", headers)
