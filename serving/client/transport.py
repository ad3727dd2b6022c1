"""The interface of a transport, which fetches a model's signatures and runs them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from serving.protocol.tensors import BY_NUMBER


class Spec(NamedTuple):
    """A tensor of a signature: NumPy dtype (`object` for strings) and shape, None where free."""

    dtype: np.dtype
    shape: tuple[int | None, ...] | None  # None: any rank


class Signature(NamedTuple):
    """The tensors of a signature: dtype and shape of each input and output by name."""

    inputs: dict[str, Spec]
    outputs: dict[str, Spec]


def read_specs(infos: Mapping[str, Any]) -> dict[str, Spec]:
    """Reads the specs of a SignatureDef's inputs or outputs (TensorInfo messages by name)."""
    return {
        name: Spec(BY_NUMBER[info.dtype].numpy, _shape(info.tensor_shape))
        for name, info in infos.items()
        if info.dtype in BY_NUMBER
    }


def _shape(shape: Any) -> tuple[int | None, ...] | None:
    if shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in shape.dim)


class Reply(NamedTuple):
    """The reply to a request: the outputs by name and the version of the model."""

    outputs: dict[str, np.ndarray]
    version: int | None  # None over REST, which does not report it


# Sends one request: (the inputs that differ from request to request, timeout in seconds) -> reply.
Send = Callable[[Mapping[str, np.ndarray], float], Reply]


class Tls(NamedTuple):
    """The PEM files of a connection with TLS; the client's own two are for mutual TLS."""

    authority: Path | None = None  # the server's; the system's authorities if None
    certificate: Path | None = None
    key: Path | None = None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, which no proxy reaches."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


class Transport(Protocol):
    """Sends requests to a model; errors of the model or the server are StatusErrors."""

    def signatures(self, timeout: float) -> dict[str, Signature]:
        """Fetches the signatures by name; `timeout` is in seconds."""
        ...

    def run(self, signature_name: str, inputs: Mapping[str, np.ndarray], timeout: float) -> Reply:
        """Sends one request; `timeout` is in seconds."""
        ...

    def bind(self, signature_name: str, shared: Mapping[str, np.ndarray]) -> Send:
        """Prepares requests that have some inputs in common."""
        return lambda inputs, timeout: self.run(signature_name, {**shared, **inputs}, timeout)

    def close(self) -> None:
        """Frees what the transport holds."""
        ...
