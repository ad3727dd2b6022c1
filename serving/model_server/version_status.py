"""The state of a version, as GetModelStatus tells it."""

from typing import NamedTuple

import tensorflow as tf

from serving.protocol import status
from serving.protocol.status import StatusError

# As numbered in get_model_status.proto.
LOADING, AVAILABLE, UNLOADING, END = 20, 30, 40, 50


class VersionStatus(NamedTuple):
    """The state of one version; a failed one is at its END with the code and message of why."""

    state: int
    code: int = status.OK
    message: str = ""


def failure(error: Exception) -> VersionStatus:
    """The end of a version that could not be loaded."""
    if isinstance(error, StatusError):
        return VersionStatus(END, error.code, error.message)
    if isinstance(error, tf.errors.OpError):
        # Python's session puts a headline before what TensorFlow said.
        message = (error.message or "").removeprefix("Graph execution error:\n\n")
        return VersionStatus(END, error.error_code, message)
    return VersionStatus(END, status.UNKNOWN, str(error) or type(error).__name__)
