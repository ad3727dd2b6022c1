"""The state of a version, as GetModelStatus reports it."""

from typing import NamedTuple

import tensorflow as tf

from serving.protocol import status
from serving.protocol.status import StatusError

# As numbered in get_model_status.proto.
LOADING, AVAILABLE, UNLOADING, END = 20, 30, 40, 50


class VersionStatus(NamedTuple):
    """The state of a version; after a failure it is END, with the error's code and message."""

    state: int
    code: int = status.OK
    message: str = ""


def failure(error: Exception) -> VersionStatus:
    """Makes the status of a version that could not be loaded."""
    if isinstance(error, StatusError):
        return VersionStatus(END, error.code, error.message)
    if isinstance(error, tf.errors.OpError):
        # Python's session puts a headline before TensorFlow's message.
        message = (error.message or "").removeprefix("Graph execution error:\n\n")
        return VersionStatus(END, error.error_code, message)
    return VersionStatus(END, status.UNKNOWN, str(error) or type(error).__name__)
