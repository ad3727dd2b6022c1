"""What gRPC and REST share: the manager, the runner, the metrics and the requests' life."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from serving.model_server.manager import ModelManager
from serving.model_server.metrics import Metrics
from serving.model_server.predict import Inputs, Runner, predict
from serving.model_server.servable import Servable
from serving.protocol import status
from serving.protocol.model_spec import ModelSpec
from serving.protocol.status import StatusError, invalid_argument

_LOG = logging.getLogger(__name__)


class ServerCore:
    """The server without its transports.

    Attributes:
      max_message_bytes: the largest request, and the largest tensor that one may expand to.
      typed_outputs: answer in typed fields as TensorFlow Serving does, not in `tensor_content`.
    """

    def __init__(
        self,
        manager: ModelManager,
        run: Runner,
        metrics: Metrics,
        *,
        max_message_bytes: int,
        typed_outputs: bool = True,
    ) -> None:
        self.manager = manager
        self.metrics = metrics
        self.max_message_bytes = max_message_bytes
        self.typed_outputs = typed_outputs
        self._run = run

    @contextmanager
    def servable(self, spec: ModelSpec) -> Iterator[Servable]:
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        with self.manager.versions.servable(*spec) as servable:
            yield servable

    def predict(
        self,
        servable: Servable,
        signature_name: str,
        inputs: Inputs,
        output_filter: Sequence[str] = (),
        deadline: float | None = None,
    ) -> dict[str, np.ndarray]:
        return predict(
            servable, signature_name, inputs, output_filter, run=self._timed_run, deadline=deadline
        )

    def _timed_run(
        self,
        servable: Servable,
        feeds: Mapping[str, np.ndarray],
        fetches: Sequence[str],
        deadline: float | None,
    ) -> list[np.ndarray]:
        start = time.perf_counter()
        try:
            return self._run(servable, feeds, fetches, deadline)
        finally:
            self.metrics.record_run(servable.name, time.perf_counter() - start)

    @contextmanager
    def observed(self, model: str, api: str, entrypoint: str) -> Iterator[None]:
        """Counts a request and turns whatever goes wrong inside into a StatusError."""
        start = time.perf_counter()
        # Names that are not served are counted as one, or a client could fill the memory.
        known = model if self.manager.versions.statuses(model) else "unknown"
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
            self.metrics.count_request(known, status.NAMES[outcome])
            seconds = time.perf_counter() - start
            self.metrics.record_request(known, api, entrypoint, seconds)
