"""Answers GetModelStatus and GetModelMetadata, for gRPC and REST."""

from typing import Any

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.model_server.core import ServerCore
from serving.protocol.model_spec import ModelSpec
from serving.protocol.status import NOT_FOUND, StatusError


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
    """Makes the GetModelMetadataResponse with the signatures."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    with core.servable(spec) as servable:
        for name, signature in servable.signature_defs.items():
            signatures.signature_def[name].CopyFrom(signature)
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
    response.metadata["signature_def"].Pack(signatures)
    return response
