"""The table in which requests look up a version."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from serving.model_server.version_status import AVAILABLE, END, UNLOADING, VersionStatus
from serving.protocol.status import NOT_FOUND, StatusError, invalid_argument

Labels = Mapping[str, Mapping[str, int]]  # model -> label -> version


class VersionTable:
    """The loaded versions, labels and states, under a lock held for microseconds.

    One thread changes the table (`ModelManager`); any number of threads read it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servables: dict[str, dict[int, Any]] = {}
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._labels: Labels = {}

    def loaded_versions(self) -> set[tuple[str, int]]:
        """Lists the (model, version) that are loaded."""
        with self._lock:
            return {(name, v) for name, versions in self._servables.items() for v in versions}

    def add(self, name: str, version: int, servable: Any) -> None:
        """Makes a loaded version available."""
        with self._lock:
            self._servables.setdefault(name, {})[version] = servable
            self._statuses.setdefault(name, {})[version] = VersionStatus(AVAILABLE)

    def remove(self, name: str, version: int) -> None:
        """Hides a version from new requests, then closes it, which waits for those in flight.

        The state is UNLOADING until it is closed, then END.
        """
        with self._lock:
            servable = self._servables[name].pop(version)
            self._statuses[name][version] = VersionStatus(UNLOADING)
        servable.close()
        self.set_status(name, version, VersionStatus(END))

    def set_status(self, name: str, version: int, entry: VersionStatus) -> None:
        """Sets the state of a version that is not loaded."""
        with self._lock:
            self._statuses.setdefault(name, {})[version] = entry

    def set_labels(self, labels: Labels) -> None:
        """Replaces all labels."""
        with self._lock:
            self._labels = labels

    @contextmanager
    def servable(self, name: str, version: int | None = None, label: str = "") -> Iterator:
        """Keeps a version (the newest by default) loaded in the block; StatusError if unknown."""
        with self._lock:
            if label:
                version = self._labels.get(name, {}).get(label)
                if version is None:
                    raise invalid_argument(f"Unrecognized servable version label: {label}")
            servables = self._servables.get(name, {})
            number = max(servables, default=None) if version is None else version
            if number is None or number not in servables:
                request = f"Latest({name})" if version is None else f"Specific({name}, {version})"
                raise StatusError(NOT_FOUND, f"Servable not found for request: {request}")
            holding = servables[number].in_use()
            servable = holding.__enter__()
        try:
            yield servable
        finally:
            holding.__exit__(None, None, None)

    def statuses(self, name: str) -> dict[int, VersionStatus]:
        """Lists the state of every version since the start of the server, newest first."""
        with self._lock:
            return dict(sorted(self._statuses.get(name, {}).items(), reverse=True))
