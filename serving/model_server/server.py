"""Starts the parts of the server in order, and stops them."""

import logging
import math
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from serving.errors import UserError
from serving.model_server.adapted_cache import AdaptedCache
from serving.model_server.batching import Batcher
from serving.model_server.core import ServerCore
from serving.model_server.grpc_listener import GrpcListener
from serving.model_server.handles import offer
from serving.model_server.load_retries import LoadRetries
from serving.model_server.loading import make_loader
from serving.model_server.manager import ModelManager
from serving.model_server.metrics import Metrics
from serving.model_server.model_config import ModelConfig, initial_configs, read_config_file
from serving.model_server.options import ServerOptions, read_batching_options, read_metrics_path
from serving.model_server.predict import Runner, run_alone
from serving.model_server.request_log.log import RequestLog
from serving.model_server.request_log.target import LogTarget, folder_target, make_folder
from serving.model_server.request_memory import RequestMemory
from serving.model_server.rest.listener import RestListener
from serving.model_server.run_memory import RunRoom
from serving.model_server.servable import Parallelism
from serving.protocol.status import UNKNOWN, StatusError

_LOG = logging.getLogger(__name__)
_LARGE_AT_ONCE = 2  # REST requests with a large body


class ModelServer:
    """A running server; also a context manager. `port` (gRPC) and `rest_port` are 0 for none.

    Models are loaded before the ports open: a client that is too early gets a refused connection,
    which it can retry, and not the error that there is no such model.
    """

    def __init__(self, options: ServerOptions):
        """Loads the models and opens the ports; UserError for a wrong option or file."""
        self._options = options
        self._config_time = _modified(options.model_config_file)
        batching = read_batching_options(options.batching_parameters_file)
        metrics_path = read_metrics_path(options.monitoring_config_file)
        configs = initial_configs(options)
        if options.log_requests:
            make_folder(options.log_requests)
        parallelism = Parallelism(
            options.tensorflow_intra_op_parallelism, options.tensorflow_inter_op_parallelism
        )
        cache = AdaptedCache(options.adapted_cache_bytes, options.adapted_cache_entries)
        keeps = options.adapted_cache_bytes > 0
        pause_seconds = options.load_retry_interval_micros / 1e6
        self.manager = ModelManager(
            make_loader(
                parallelism=parallelism,
                warmup=options.enable_model_warmup,
                measure_threads=True,
                measure_memory=True,
                prepare=lambda servable: offer(servable, cache) if keeps else None,
            ),
            labels_for_unavailable=options.allow_version_labels_for_unavailable_models,
            retries=LoadRetries(options.max_num_load_retries, pause_seconds),
        )
        # Closed last to first: here if a port is in use, otherwise by stop().
        with ExitStack() as opened:
            opened.callback(self.manager.close)
            self._load(configs)
            run: Runner = run_alone
            if options.enable_batching:
                run = batcher = Batcher(batching)
                opened.callback(batcher.close)
            memory = RequestMemory(
                options.max_requests_memory_bytes, options.client_timeout_seconds
            )
            opened.callback(memory.close)
            log = self._open_log()
            opened.callback(log.close)
            cached = {"adapted_cache": cache.metrics} if keeps else {}
            core = ServerCore(
                self.manager,
                run,
                Metrics({"request_log": log.metrics} | cached),
                memory=memory,
                room=RunRoom(
                    options.max_requests_memory_bytes,
                    options.max_request_pixels,
                    options.client_timeout_seconds,
                ),
                max_message_bytes=options.max_message_bytes,
                adapted_cache=cache if keeps else None,
                request_log=log,
                typed_outputs=not options.enable_serialization_as_tensor_content,
            )
            opened.callback(core.large.close)
            executor = ThreadPoolExecutor(options.rest_api_num_threads, "rest")
            opened.callback(executor.shutdown)
            large_executor = ThreadPoolExecutor(_LARGE_AT_ONCE, "rest-large")
            opened.callback(large_executor.shutdown)
            self._grpc = GrpcListener(core, options)
            opened.callback(self._grpc.stop)
            rest = RestListener(core, options, executor, large_executor, metrics_path)
            opened.callback(rest.stop)
            opened.callback(self._grpc.refuse)  # at once, not after REST has finished
            self._opened = opened.pop_all()
        self.port, self.rest_port = self._grpc.port, rest.port
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="versions", daemon=True)
        self._poller.start()

    def _open_log(self) -> RequestLog:
        folder, rate = self._options.log_requests, self._options.log_sampling_rate
        if folder:
            _LOG.warning("Requests, and so users' data, are logged to %s at rate %g", folder, rate)

        def target(model: str) -> LogTarget | None:
            own = self.manager.log_target(model)
            return folder_target(folder, model, rate) if own is None and folder else own

        return RequestLog(
            target,
            max_bytes=self._options.log_max_bytes,
            queue_bytes=self._options.max_message_bytes,
        )

    def _load(self, configs: list[ModelConfig]) -> None:
        """Loads the models; the server starts even if a version fails, and its status says why."""
        try:
            self.manager.configure(configs)
        except StatusError as error:
            if error.code != UNKNOWN:
                raise UserError(f"`--model-config-file`: {error.message}.") from error

    def _poll(self) -> None:
        """Polls the disk for new and deleted versions and changes of the configuration file."""
        config_read = time.monotonic()
        config_wait = self._options.model_config_file_poll_wait_seconds or math.inf
        while not self._stopping.wait(self._options.file_system_poll_wait_seconds):
            try:
                self.manager.reconcile()
                if time.monotonic() - config_read >= config_wait:
                    config_read = time.monotonic()
                    self._reload_config_file()
                if not self._stopping.is_set():
                    self._grpc.report_health(serving=self.manager.is_ready())
            except (UserError, StatusError) as error:
                _LOG.error("The models stay as they are: %s", error)
            except Exception:  # this thread must survive all errors of the disk
                _LOG.exception("The models stay as they are")

    def _reload_config_file(self) -> None:
        path = self._options.model_config_file
        modified = _modified(path)
        if modified != self._config_time:
            self._config_time = modified
            self.manager.configure(read_config_file(path))

    def stop(self) -> None:
        """Refuses new requests, waits for those in flight, and unloads the models."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._poller.join()
        self._opened.close()

    def __enter__(self) -> "ModelServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime if path else 0.0
    except OSError:
        return 0.0
