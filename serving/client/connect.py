"""Opens the transport that a target names: REST, gRPC or a SavedModel on disk."""

from pathlib import Path

from serving.client.transport import Tls, Transport
from serving.errors import UserError
from serving.protocol.model_spec import ModelSpec
from serving.zoo.fetch import local_folder


def open_transport(target: str, model: ModelSpec, tls: Tls | None) -> Transport:
    """Opens the transport for a target; UserError if it is a path that does not exist.

    A URL is REST, an existing folder or `zoo:NAME` a model on disk (of `model` the version alone
    counts there), `host:port` or `unix:PATH` gRPC. Each transport is imported when it is opened: a
    client needs one of gRPC and requests, and only the model on disk needs TensorFlow.
    """
    if target.startswith(("http://", "https://")):
        from serving.client.rest_transport import RestTransport

        return RestTransport(target, model, tls)
    target = local_folder(target)
    if Path(target).is_dir():
        return _open_disk(Path(target), model)
    if "/" in target and not target.startswith("unix:"):
        raise UserError(
            "The target must be an existing folder, zoo:NAME, host:port, unix:PATH or a URL; got "
            f"{target}."
        )
    from serving.client.grpc_transport import GrpcTransport

    return GrpcTransport(target, model, tls)


def _open_disk(folder: Path, model: ModelSpec) -> Transport:
    try:
        from serving.client.disk_transport import DiskTransport  # seconds: imports TensorFlow
    except ModuleNotFoundError as error:
        raise UserError(
            f"A model on disk needs the extra `server`, for {error.name} is not installed; run "
            "uv pip install 'fewshot-pipeline[server]', or query a server."
        ) from error
    return DiskTransport(folder, model)
