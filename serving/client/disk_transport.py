"""Runs requests on a SavedModel on disk, in this process, as the server does."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from serving.client.transport import Reply, Signature, Transport, read_specs
from serving.errors import UserError
from serving.model_server.predict import predict
from serving.model_server.servable import Parallelism, Servable
from serving.model_versions.folders import list_versions
from serving.protocol.model_spec import ModelSpec


class DiskTransport(Transport):
    """A transport to a version of a model that it loads itself.

    The folder is a version folder, or that of several: then `model` says which, by default the
    newest. UserError if there is no such version, or it cannot be loaded.
    """

    def __init__(self, folder: Path, model: ModelSpec):
        version, path = _find(folder, model.version)
        try:
            self._servable = Servable(model.name, version, path, Parallelism())
        except (tf.errors.OpError, OSError) as error:
            rule = "The model must be a SavedModel that loads"
            raise UserError(f"{rule}; {path}: {error}") from error

    def signatures(self, timeout: float) -> dict[str, Signature]:
        """Reads the signatures of the loaded model."""
        return {
            name: Signature(read_specs(definition.inputs), read_specs(definition.outputs))
            for name, definition in self._servable.signature_defs.items()
        }

    def run(self, signature_name: str, inputs: Mapping[str, np.ndarray], timeout: float) -> Reply:
        """Runs one request; `timeout` is not used."""
        readers = {name: lambda array=array: array for name, array in inputs.items()}
        return Reply(predict(self._servable, signature_name, readers), self._servable.version)

    def close(self) -> None:
        """Frees the model."""
        self._servable.close()


def _find(folder: Path, version: int | None) -> tuple[int, Path]:
    if (folder / "saved_model.pb").exists():
        return (int(folder.name) if folder.name.isdigit() else 0), folder
    versions = list_versions(folder)
    if not versions:
        raise UserError(
            "The model must be a folder with saved_model.pb, or one of numbered version folders; "
            f"{folder} is neither."
        )
    chosen = max(versions) if version is None else version
    if chosen not in versions:
        raise UserError(
            f"The version must be one of {', '.join(map(str, versions))}, those in {folder}; "
            f"got {chosen}."
        )
    return chosen, versions[chosen]
