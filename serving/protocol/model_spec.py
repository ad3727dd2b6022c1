"""Which model a request is for: the `model_spec` of TensorFlow Serving's requests."""

from typing import Any, NamedTuple

from serving.protocol.status import invalid_argument


class ModelSpec(NamedTuple):
    """A model on a server: the newest version unless a version or a label is given."""

    name: str
    version: int | None = None  # None for the newest
    label: str = ""  # a version label instead of a number; empty for none


def read_model_spec(request: Any) -> ModelSpec:
    """Reads the ModelSpec of a request message; INVALID_ARGUMENT if it has none."""
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    message = request.model_spec
    version = message.version.value if message.HasField("version") else None
    return ModelSpec(message.name, version, message.version_label)


def write_model_spec(spec: ModelSpec, message: Any) -> None:
    """Fills an empty ModelSpec message."""
    message.name = spec.name
    if spec.version is not None:
        message.version.value = spec.version
    message.version_label = spec.label
