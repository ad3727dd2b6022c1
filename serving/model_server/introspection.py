"""Answers GetModelStatus and GetModelMetadata, for gRPC and REST."""

import json
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.model_server.core import ServerCore
from serving.model_server.rest.message_json import message_to_dict
from serving.model_server.servable import Servable
from serving.protocol.model_spec import ModelSpec
from serving.protocol.status import NOT_FOUND, StatusError

_MADE: WeakKeyDictionary[Servable, dict[str, Any]] = WeakKeyDictionary()


def model_status(core: ServerCore, spec: ModelSpec) -> Any:
    """Makes the GetModelStatusResponse; NOT_FOUND for what the server never listed."""
    statuses = core.manager.versions.statuses(spec.name)
    version = spec.version
    if spec.label:
        with core.servable(spec) as servable:
            version = servable.version
    if version is not None:
        if version not in statuses:
            raise StatusError(NOT_FOUND, f"Could not find version {version} of model {spec.name}")
        statuses = {version: statuses[version]}
    if not statuses:
        raise StatusError(NOT_FOUND, f"Could not find any versions of model {spec.name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, entry in statuses.items():
        added = response.model_version_status.add(version=number, state=entry.state)
        added.status.error_code = entry.code
        added.status.error_message = entry.message
    return response


def model_metadata(core: ServerCore, spec: ModelSpec) -> Any:
    """Gives the GetModelMetadataResponse with the signatures, which must not be changed."""
    with core.servable(spec) as servable:
        return _once(servable, "message", _metadata_message)


def model_metadata_json(core: ServerCore, spec: ModelSpec) -> str:
    """Gives the same as REST shows it."""
    with core.servable(spec) as servable:
        return _once(servable, "json", _metadata_json)


def _once(servable: Servable, form: str, make: Callable[[Servable], Any]) -> Any:
    """Makes it at the first request for a version: it takes milliseconds, and never changes."""
    made = _MADE.setdefault(servable, {})
    if form not in made:
        made[form] = make(servable)
    return made[form]


def _metadata_message(servable: Servable) -> Any:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in servable.signature_defs.items():
        signatures.signature_def[name].CopyFrom(signature)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    response.metadata["signature_def"].Pack(signatures)
    return response


def _metadata_json(servable: Servable) -> str:
    document = message_to_dict(_metadata_message(servable))
    document["model_spec"].setdefault("signature_name", "")
    document["model_spec"].pop("version_label", None)
    document["metadata"]["signature_def"].pop("@type")
    return json.dumps(document, indent=4)
