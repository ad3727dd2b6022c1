"""When a version that could not be loaded is tried again."""

import time
from typing import Any, NamedTuple


class _Failed(NamedTuple):
    files: object
    times: int
    at: float


class LoadRetries:
    """As TensorFlow Serving: a few times after a pause each, for what fails may pass (memory, a
    network's disk). Beyond that, at once when the version's files have changed.

    Args:
      most: retries after the first failure.
      pause_seconds: between them.
    """

    def __init__(self, most: int = 5, pause_seconds: float = 60.0):
        self._most = most
        self._pause = pause_seconds
        self._failed: dict[Any, _Failed] = {}

    def may_load(self, version: Any, files: object) -> bool:
        """Whether a version is to be tried now.

        Args:
          version: what names it.
          files: its fingerprint.
        """
        failed = self._failed.get(version)
        if failed is None or failed.files != files:
            return True
        return failed.times <= self._most and time.monotonic() >= failed.at + self._pause

    def failed(self, version: Any, files: object) -> None:
        """Notes that it was tried and could not be loaded."""
        before = self._failed.get(version)
        times = before.times if before is not None and before.files == files else 0
        self._failed[version] = _Failed(files, times + 1, time.monotonic())

    def loaded(self, version: Any) -> None:
        """Forgets what was noted."""
        self._failed.pop(version, None)
