"""The command `fewshot serve`."""

import dataclasses
import json
import logging
import queue
import signal
from pathlib import Path
from typing import Any

import click

from serving import atomic
from serving.errors import UserError
from serving.model_server.options import ServerOptions, check_model_flags
from serving.model_server.process import hold_standard_streams, raise_file_limit, share_interpreter
from serving.start_up import give_each_session_its_threads, skip_unused_imports
from serving.zoo.fetch import cache_folder, fetch, local_folder
from serving.zoo.index import PREFIX, find_entry, read_entries

_HELP = {
    "model_base_path": "Folder of the version folders (without the version).",
    "model_name": "Name that requests give.",
    "model_config_file": "A ModelServerConfig in text format, for several models or labels.",
    "model_config_file_poll_wait_seconds": "Seconds between looks at that file; 0: read once.",
    "file_system_poll_wait_seconds": "Seconds between looks for new versions.",
    "allow_version_labels_for_unavailable_models": "Let labels name versions not loaded.",
    "max_num_load_retries": "Retries of a version that does not load.",
    "load_retry_interval_micros": "Microseconds between them.",
    "enable_model_warmup": "Run a version's warm-up requests before it is available.",
    "port": "gRPC port; 0: none.",
    "grpc_socket_path": "Also listen for gRPC on this unix socket.",
    "grpc_channel_arguments": "key=value,key=value for gRPC.",
    "ssl_config_file": "An SSLConfig in text format: TLS for gRPC, mutual with client_verify.",
    "grpc_max_threads": "gRPC requests handled at once.",
    "enable_serialization_as_tensor_content": "Answer with tensor_content, not typed fields.",
    "rest_api_num_threads": "REST requests handled at once.",
    "enable_grpc_healthcheck_service": "Answer grpc.health.v1.",
    "rest_api_port": "REST port; 0: none.",
    "rest_api_timeout_in_ms": "Deadline of a REST request.",
    "rest_api_enable_cors_support": "Send CORS headers.",
    "monitoring_config_file": "A MonitoringConfig in text format.",
    "enable_batching": "Join the episodes of concurrent requests.",
    "batching_parameters_file": "BatchingParameters in text format.",
    "tensorflow_intra_op_parallelism": "Threads in an operation; 0: one or one a core, measured.",
    "tensorflow_inter_op_parallelism": "Operations at once; 0: one per core.",
    "host": "Address to listen on.",
    "max_message_bytes": "Largest request, also after unpacking.",
    "max_requests_memory_bytes": "Memory of all requests in flight, unpacked; one may take 3/4.",
    "max_request_pixels": "Pixels of all pictures of one request.",
    "client_timeout_seconds": "Time for a client's headers, its body, and to take its answer.",
    "max_rest_connections": "Connections to the REST port at once.",
    "adapted_cache_bytes": "Keep up to so many bytes of adapted weights for clients; 0: none.",
    "adapted_cache_entries": "Keep the adapted weights of at most so many episodes.",
    "log_requests": "Log requests and answers to this folder: they hold users' data.",
    "log_sampling_rate": "Share of the requests that are logged, 0 to 1.",
    "log_max_bytes": "Bytes of all logged files; the oldest are deleted.",
    "shutdown_grace_seconds": "Time for requests in flight at SIGTERM.",
    "ui": "Serve a page to try the models on, at the REST port.",
}
# The command opens both ports by default, so that curl works with the example.
_DEFAULTS = {"rest_api_port": 8501}


def _option(field: dataclasses.Field) -> Any:
    """Makes a flag in both spellings, --model-name and --model_name; --flag means --flag=true."""
    default = _DEFAULTS.get(field.name, field.default)
    names = {f"--{field.name.replace('_', '-')}", f"--{field.name}"}
    kind: dict[str, Any] = {"type": type(field.default)}
    if isinstance(field.default, bool):
        kind = {"type": bool, "is_flag": False, "flag_value": "true"}
    return click.option(
        *sorted(names),
        field.name,
        default=default,
        show_default=True,
        help=_HELP[field.name],
        **kind,
    )


def _with_options(command: Any) -> Any:
    for field in reversed(dataclasses.fields(ServerOptions)):
        command = _option(field)(command)
    return command


@click.command()
@click.option("--model", help="zoo:NAME, served under that name; or a folder as for the next.")
@_with_options
def serve(model: str | None, **flags: Any) -> None:
    """Serve a model over TensorFlow Serving's gRPC and REST protocols.

    The flags have the names that tensorflow_model_server gives them. `--ui` alone serves the small
    models of the zoo, with a page to try them on. New versions are picked up
    while running. SIGTERM and Ctrl-C end the server once the requests in flight are answered;
    SIGHUP does nothing.
    """
    hold_standard_streams()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Otherwise TensorFlow logs a line for each file it reads.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    run(ServerOptions(**flags | _of_model(model, flags)))


def _of_model(model: str | None, flags: dict[str, Any]) -> dict[str, Any]:
    """The flags that `--model` stands for; a page without a model shows those of the zoo."""
    if model is None:
        shown = flags["ui"] and not flags["model_base_path"] and not flags["model_config_file"]
        return {"model_config_file": str(_packaged_models())} if shown else {}
    if flags["model_base_path"] or flags["model_config_file"]:
        raise UserError(
            "Give one of `--model`, `--model-base-path` and `--model-config-file`: got `--model` "
            "and another."
        )
    named = model.startswith(PREFIX) and flags["model_name"] == ServerOptions.model_name
    name = {"model_name": find_entry(model).name} if named else {}
    return {"model_base_path": local_folder(model)} | name


def _packaged_models() -> Path:
    """A ModelServerConfig of all models that came with the package, written beside them."""
    newest = {entry.name: entry for entry in read_entries() if entry.beside_index.is_file()}
    if not newest:
        raise UserError(
            "`--ui` without a model serves those of the zoo that came with the package, and there "
            "are none: name a model by `--model` or `--model-base-path`."
        )
    folders = {name: str(fetch(entry)) for name, entry in newest.items()}
    models = [
        f"  config {{ name: {json.dumps(name)} base_path: {json.dumps(folder)} "
        "model_platform: 'tensorflow' }"
        for name, folder in folders.items()
    ]
    path = cache_folder() / "packaged.config"
    atomic.write_text(path, "\n".join(["model_config_list {", *models, "}", ""]))
    return path


def run(options: ServerOptions) -> None:
    """Serves until SIGTERM or SIGINT; the process must do nothing else."""
    check_model_flags(options)
    # Not an Event: a second signal while its handler holds the Event's lock would wait forever.
    stop: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stop.put(number))
    if hasattr(signal, "SIGHUP"):  # the end of a terminal is not that of the server
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise_file_limit()
    share_interpreter()
    skip_unused_imports()
    give_each_session_its_threads()
    from serving.model_server.server import ModelServer  # takes seconds: imports TensorFlow

    with ModelServer(options) as server:
        logging.info("gRPC on port %d, REST on port %d", server.port, server.rest_port)
        if options.ui:
            logging.info("The page: http://localhost:%d/", server.rest_port)
        stop.get()
        logging.info("Stopping: finishing the requests in flight")
