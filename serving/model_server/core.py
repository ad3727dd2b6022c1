"""The part of the server that gRPC and REST share: models, runner, metrics and errors."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from serving.model_server.adapted_cache import AdaptedCache
from serving.model_server.handles import with_handles
from serving.model_server.large_requests import LargeRequests
from serving.model_server.manager import ModelManager
from serving.model_server.metrics import Metrics
from serving.model_server.predict import InputReaders, Runner, predict
from serving.model_server.request_log.log import Messages, RequestLog
from serving.model_server.request_memory import RequestMemory
from serving.model_server.run_memory import RunRoom
from serving.model_server.servable import Servable
from serving.protocol import status
from serving.protocol.model_spec import ModelSpec
from serving.protocol.status import StatusError, invalid_argument

_LOG = logging.getLogger(__name__)


class ServerCore:
    """The server without gRPC and REST: its models, and the metrics of all requests."""

    def __init__(
        self,
        manager: ModelManager,
        run: Runner,
        metrics: Metrics,
        *,
        memory: RequestMemory,
        max_message_bytes: int,
        room: RunRoom,
        adapted_cache: AdaptedCache | None = None,
        request_log: RequestLog | None = None,
        typed_outputs: bool = True,
    ) -> None:
        self.manager = manager
        self.metrics = metrics
        self.memory = memory
        self.max_message_bytes = max_message_bytes  # of a request, and of a tensor it expands to
        self.large = LargeRequests()
        self._room = room
        self._request_log = request_log
        self.typed_outputs = typed_outputs  # as TensorFlow Serving's, not `tensor_content`
        self._run = run
        # Around the run, whose memory is that of the weights and not of their handle.
        cache = adapted_cache
        self._runner = self.run if cache is None else with_handles(self.run, cache)

    @contextmanager
    def servable(self, spec: ModelSpec) -> Iterator[Servable]:
        """Looks up the version that a request names, and keeps it loaded in the block."""
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        with self.manager.versions.servable(*spec) as servable:
            yield servable

    def predict(
        self,
        servable: Servable,
        signature_name: str,
        inputs: InputReaders,
        output_filter: Sequence[str] = (),
        deadline: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Runs `predict.predict` with the server's runner, and records its time."""
        return predict(
            servable,
            signature_name,
            inputs,
            output_filter,
            run=self._runner,
            deadline=deadline,
        )

    def run(
        self,
        servable: Servable,
        feeds: Mapping[str, np.ndarray],
        fetches: Sequence[str],
        deadline: float | None,
    ) -> list[np.ndarray]:
        """Runs a graph with the server's runner (a `predict.Runner`), and records its time."""
        start = time.perf_counter()
        try:
            with self._room.reserve(servable, feeds, deadline):
                return self._run(servable, feeds, fetches, deadline)
        finally:
            self.metrics.record_run(servable.name, time.perf_counter() - start)

    def log(self, api: str, model: str, messages: Messages) -> None:
        """Logs a call that was answered, if requests to the model are: see `RequestLog.add`."""
        if self._request_log is not None:
            self._request_log.add(api, model, messages)

    @contextmanager
    def observe(self, model: str, api: str, entrypoint: str) -> Iterator[None]:
        """Counts a request, records its time and makes any error in the block a StatusError."""
        start = time.perf_counter()
        # All unknown names are counted as one; otherwise clients could fill the memory.
        label = model if self.manager.versions.statuses(model) else "unknown"
        outcome = status.OK
        try:
            yield
        except StatusError as error:
            outcome = error.code
            raise
        except Exception as error:
            outcome = status.INTERNAL
            _LOG.exception("A %s request to model %s failed", api, model)
            raise StatusError(status.INTERNAL, f"{type(error).__name__}: {error}") from error
        finally:
            self.metrics.count_request(label, status.NAMES[outcome])
            seconds = time.perf_counter() - start
            self.metrics.record_request(label, api, entrypoint, seconds)
