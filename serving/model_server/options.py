"""The server's options, with the names of `tensorflow_model_server`'s flags, and its text files."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf import text_format

from serving.errors import UserError
from serving.protocol.messages import BatchingParameters, MonitoringConfig, SSLConfig

METRICS_PATH = "/monitoring/prometheus/metrics"

_Message = TypeVar("_Message", bound=Any)


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """The options of `fewshot serve`; port 0 means none, -1 a free port that the system chooses."""

    model_base_path: str = ""  # the folder of the version folders
    model_name: str = "default"
    model_config_file: str = ""  # a ModelServerConfig in text format, instead of the two above
    model_config_file_poll_wait_seconds: float = 0.0  # 0: read once
    file_system_poll_wait_seconds: float = 1.0
    allow_version_labels_for_unavailable_models: bool = False
    max_num_load_retries: int = 5
    load_retry_interval_micros: int = 60_000_000
    enable_model_warmup: bool = True

    port: int = 8500
    grpc_socket_path: str = ""
    grpc_channel_arguments: str = ""  # "key=value,key=value"
    ssl_config_file: str = ""  # an SSLConfig in text format; gRPC only, as in TensorFlow Serving
    grpc_max_threads: int = 16  # requests handled at once
    enable_grpc_healthcheck_service: bool = True
    enable_serialization_as_tensor_content: bool = False  # answers that Python reads faster
    rest_api_port: int = 0
    rest_api_num_threads: int = 16  # requests handled at once
    rest_api_timeout_in_ms: int = 30_000
    rest_api_enable_cors_support: bool = False
    monitoring_config_file: str = ""

    enable_batching: bool = False
    batching_parameters_file: str = ""

    tensorflow_intra_op_parallelism: int = 0
    tensorflow_inter_op_parallelism: int = 0

    # These have no counterpart in tensorflow_model_server.
    host: str = "0.0.0.0"
    max_message_bytes: int = 64 * 2**20  # of a request, also after it is unpacked
    max_requests_memory_bytes: int = 512 * 2**20  # of all requests in flight, unpacked
    max_request_pixels: int = 500_000_000  # of all pictures of a request
    adapted_cache_bytes: int = 0  # of adapted weights kept for clients; 0: none are kept
    adapted_cache_entries: int = 10_000  # episodes whose weights are kept at most
    client_timeout_seconds: float = 30.0  # for headers, for a body, to take the answer
    max_rest_connections: int = 1024
    shutdown_grace_seconds: float = 30.0  # for requests in flight at SIGTERM
    log_requests: str = ""  # a folder for the requests and their answers; empty: none are logged
    log_sampling_rate: float = 1.0  # share of the requests that are logged
    log_max_bytes: int = 2**30  # of all files of the log; the oldest go
    ui: bool = False  # a page to try the models on, at /ui/ of the REST port

    def __post_init__(self) -> None:
        for field in (
            "max_message_bytes",
            "max_requests_memory_bytes",
            "max_request_pixels",
            "client_timeout_seconds",
            "max_rest_connections",
            "log_max_bytes",
        ):
            if getattr(self, field) <= 0:
                flag = field.replace("_", "-")
                raise UserError(f"`--{flag}` must be more than 0; got {getattr(self, field)}.")
        if self.adapted_cache_bytes < 0 or self.adapted_cache_entries < 1:
            raise UserError(
                "`--adapted-cache-bytes` must be at least 0 and `--adapted-cache-entries` at least "
                f"1; got {self.adapted_cache_bytes} and {self.adapted_cache_entries}."
            )
        if not 0 <= self.log_sampling_rate <= 1:
            raise UserError(
                "`--log-sampling-rate` must be the share of requests that are logged, from 0 to 1; "
                f"got {self.log_sampling_rate:g}."
            )
        if "://" in self.log_requests:
            raise UserError(
                "`--log-requests` must be a folder of this machine, from which you may copy the "
                f"files; got {self.log_requests}."
            )
        if self.ui and not self.rest_api_port:
            raise UserError("`--ui` needs a REST port; `--rest-api-port` is 0: give another.")


def check_model_flags(options: ServerOptions) -> None:
    """Checks the options that name models (UserError), before anything slow is imported.

    The base path may be empty: the server waits for the first version.
    """
    if bool(options.model_base_path) == bool(options.model_config_file):
        raise UserError(
            "Give either `--model-base-path` (the folder of the version folders; or "
            "`--model zoo:NAME`) or `--model-config-file`, and not both."
        )
    if not options.model_base_path:
        return
    base_path = Path(options.model_base_path).absolute()
    if (base_path / "saved_model.pb").exists():
        raise UserError(
            f"`--model-base-path` must be the folder that holds the version folders; {base_path} "
            f"is itself a version: give {base_path.parent}."
        )
    if not base_path.is_dir():
        raise UserError(f"`--model-base-path` must be an existing folder; {base_path} is none.")


@dataclasses.dataclass(frozen=True)
class BatchingOptions:
    """Options for joining requests into one run; the defaults are TensorFlow Serving's."""

    max_batch_size: int = 1000  # episodes in one run
    batch_timeout_micros: int = 0  # how long an incomplete run waits for more requests
    num_batch_threads: int = os.cpu_count() or 1  # runs at once
    max_enqueued_batches: int = 10  # full runs in the queue; then requests are refused
    allowed_batch_sizes: Sequence[int] = ()  # ascending; runs are padded to one of them

    def __post_init__(self) -> None:
        for field in ("max_batch_size", "num_batch_threads", "max_enqueued_batches"):
            if getattr(self, field) < 1:
                raise UserError(
                    f"`{field}` must be at least 1; the batching parameters give "
                    f"{getattr(self, field)}."
                )
        sizes = list(self.allowed_batch_sizes)
        if sizes != sorted(set(sizes)) or (sizes and sizes[-1] != self.max_batch_size):
            raise UserError(
                "`allowed_batch_sizes` must rise and end with `max_batch_size` "
                f"({self.max_batch_size}); the batching parameters give {sizes}."
            )


def read_batching_options(path: str) -> BatchingOptions:
    """Reads a file of batching parameters; an empty path gives the defaults."""
    if not path:
        return BatchingOptions()
    message = read_text_proto(path, BatchingParameters(), "batching_parameters_file")
    if message.pad_variable_length_inputs:
        raise UserError(
            "`pad_variable_length_inputs` must not be set: padding would add false examples to "
            "support sets; requests of different shapes are simply not joined."
        )
    sizes = tuple(message.allowed_batch_sizes)
    names = {field.name for field in dataclasses.fields(BatchingOptions)} - {"allowed_batch_sizes"}
    values = {name: getattr(message, name).value for name in names if message.HasField(name)}
    return BatchingOptions(**values, allowed_batch_sizes=sizes)


def read_metrics_path(path: str) -> str | None:
    """Reads the path of the metrics from a monitoring file; None if it turns them off."""
    if not path:
        return METRICS_PATH
    config = read_text_proto(path, MonitoringConfig(), "monitoring_config_file").prometheus_config
    return (config.path or METRICS_PATH) if config.enable else None


def read_ssl_config(path: str) -> Any:
    """Reads an SSLConfig: PEM texts of the key, the certificate and the clients' authority."""
    config = read_text_proto(path, SSLConfig(), "ssl_config_file")
    if not config.server_key or not config.server_cert:
        raise UserError(
            f"`ssl_config_file` must give `server_key` and `server_cert` as PEM texts; {path} "
            "leaves one out."
        )
    if config.client_verify and not config.custom_ca:
        raise UserError(
            f"`ssl_config_file` with `client_verify` must give `custom_ca`, the PEM text of the "
            f"clients' authority; {path} does not."
        )
    return config


def read_text_proto(path: str, message: _Message, option: str) -> _Message:
    """Reads a protocol buffer in text format; `option` is the flag that names the file."""
    try:
        return text_format.Parse(Path(path).read_text(), message)
    except OSError as error:
        raise UserError(f"`{option}` must be a readable file; {path}: {error.strerror}.") from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        kind = type(message).DESCRIPTOR.name
        raise UserError(f"`{option}` must be a {kind} in text format; {path}: {error}.") from error


def parse_channel_arguments(text: str) -> list[tuple[str, int | str]]:
    """Parses `key=value,key=value` into gRPC's arguments; numeric values become integers."""
    pairs: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise UserError(
                f"`grpc_channel_arguments` must be key=value pairs joined by commas; got {part!r}."
            )
        number = value.lstrip("-").isdigit()
        pairs.append((key, int(value) if number else value))
    return pairs
