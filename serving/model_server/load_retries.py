"""Decides when a version that could not be loaded is tried again."""

import time
from typing import Any, NamedTuple


class _Failure(NamedTuple):
    """The failures of a version with the same files: their number and the time of the last."""

    files: object
    times: int
    at: float


class LoadRetries:
    """Retries a version a few times after a pause each, as TensorFlow Serving does.

    The cause of a failure may pass (too little memory, a network's disk). A version whose files
    have changed is tried again at once.
    """

    def __init__(self, max_retries: int = 5, pause_seconds: float = 60.0):
        self._max_retries = max_retries
        self._pause = pause_seconds
        self._failures: dict[Any, _Failure] = {}

    def may_load(self, version: Any, files: object) -> bool:
        """Tells whether a version, whose files have this fingerprint, is to be loaded now."""
        failure = self._failures.get(version)
        if failure is None or failure.files != files:
            return True
        return failure.times <= self._max_retries and time.monotonic() >= failure.at + self._pause

    def add_failure(self, version: Any, files: object) -> None:
        """Records that a version could not be loaded."""
        before = self._failures.get(version)
        times = before.times if before is not None and before.files == files else 0
        self._failures[version] = _Failure(files, times + 1, time.monotonic())

    def forget(self, version: Any) -> None:
        """Forgets the failures of a version."""
        self._failures.pop(version, None)
