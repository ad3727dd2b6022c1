"""Where the requests to a model are logged, and how many of them."""

import errno
import os
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from serving.errors import UserError
from serving.protocol.status import NOT_FOUND, StatusError, invalid_argument

_TYPES = ("", "file", "tfrecord")
_NAME = "requests"  # of files in a folder that is theirs


class LogTarget(NamedTuple):
    """A log of requests."""

    prefix: Path  # with which the paths of its files begin
    sampling_rate: float  # share of the requests that are logged, 0..1


def make_folder(folder: str) -> None:
    """Makes the folder of `--log-requests`, for its owner alone; UserError if it is of no use.

    A full disk is no reason not to start.
    """
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "it may not be written to"
    except OSError as error:
        reason = "" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error.strerror)
    if reason:
        raise UserError(
            f"`--log-requests` must be a folder that the server may write to; {folder}: {reason}."
        )


def folder_target(folder: str, model: str, sampling_rate: float) -> LogTarget:
    """The log of a model in a folder of its own below `folder`."""
    name = quote(model, safe="")
    name = f"%2E{name[1:]}" if name.startswith(".") else name
    return LogTarget(Path(folder).absolute() / name / _NAME, sampling_rate)


def read_logging_config(model: str, message: Any) -> LogTarget:
    """Reads a LoggingConfig; NOT_FOUND or INVALID_ARGUMENT if it cannot be followed."""
    collector, rate = message.log_collector_config, message.sampling_config.sampling_rate
    if collector.type not in _TYPES:
        message = f"Cannot find LogCollector::Factory for type: {collector.type}"
        raise StatusError(NOT_FOUND, message)
    prefix = collector.filename_prefix
    if not Path(prefix).is_absolute():
        raise invalid_argument(
            f"Expected the logging_config of model {model} to have an absolute path of this "
            f"machine as filename_prefix; got {prefix!r}"
        )
    if not 0 <= rate <= 1:
        raise invalid_argument(
            f"Expected the logging_config of model {model} to have a sampling_rate from 0 to 1; "
            f"got {rate:g}"
        )
    return LogTarget(Path(prefix + _NAME if prefix.endswith("/") else prefix), rate)
