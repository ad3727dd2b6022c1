"""Adapted weights that a server keeps; the client has a handle, and the support set."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from serving.client.transport import Reply
from serving.protocol.status import StatusError
from serving.saved_model import signatures as names

ATTEMPTS = 3
"""How often one request is sent: a server with little room may lose a handle at once."""

Run = Callable[..., Reply]
"""`run(signature_name, inputs, timeout=seconds or None)`, as of FewShotClient."""


class KeptOnServer:
    """Sends queries with a handle; adapts again whenever the server has lost it.

    A server loses handles when it restarts, serves another version, or needs the room.
    """

    def __init__(self, run: Run, support: Mapping[str, Any], timeout: float | None = None):
        """Adapts on the server, within `timeout` seconds (the client's if None).

        `support` holds the inputs of the signature `adapt_on_server`.
        """
        self._run, self._support = run, support
        self._adapting = threading.Lock()
        self._handle = self._adapt(timeout)

    def __call__(self, inputs: Mapping[str, Any], *, timeout: float | None = None) -> Reply:
        """Runs `predict_on_server` on queries; `timeout` is in seconds for each request."""
        for attempt in range(ATTEMPTS):
            handle = self._handle
            try:
                arrays = {**inputs, names.ADAPTED_HANDLE: handle}
                return self._run(names.PREDICT_ON_SERVER, arrays, timeout=timeout)
            except StatusError as error:
                lost = error.message.startswith(names.LOST_HANDLE)
                if not lost or attempt == ATTEMPTS - 1:
                    raise
            with self._adapting:
                if self._handle is handle:  # else another thread has adapted meanwhile
                    self._handle = self._adapt(timeout)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _adapt(self, timeout: float | None) -> np.ndarray:
        reply = self._run(names.ADAPT_ON_SERVER, self._support, timeout=timeout)
        return reply.outputs[names.ADAPTED_HANDLE]
