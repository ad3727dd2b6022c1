"""Loads, swaps and unloads versions while requests are answered.

A new version becomes available, warmed up, before the old one is unloaded; a version that cannot
be loaded changes nothing but its own status, and is tried again (`load_retries`).
"""

import gc
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving.model_server.load_retries import LoadRetries
from serving.model_server.model_config import ModelConfig
from serving.model_server.version_status import (
    AVAILABLE,
    END,
    LOADING,
    UNLOADING,
    VersionStatus,
    failure,
)
from serving.protocol import status
from serving.protocol.status import StatusError, invalid_argument
from serving.versions import fingerprint, list_versions

_LOG = logging.getLogger(__name__)

# (name, version, folder) -> a Servable, loaded and warmed up.
Loader = Callable[[str, int, Path], Any]


class ModelManager:
    """The versions being served.

    Requests take a snapshot of the table under a lock held for microseconds; loading happens
    outside of it, in one thread at a time.
    """

    def __init__(
        self,
        load: Loader,
        *,
        labels_for_unavailable: bool = False,
        retries: LoadRetries | None = None,
    ):
        """Serves nothing yet.

        Args:
          load: loads a version, or raises.
          labels_for_unavailable: labels may name versions that are not loaded.
          retries: when a version that could not be loaded is tried again.
        """
        self._load = load
        self._labels_for_unavailable = labels_for_unavailable
        self._table = threading.Lock()
        self._reconciling = threading.RLock()
        self._configs: dict[str, ModelConfig] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._servables: dict[str, dict[int, Any]] = {}
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._retries = retries or LoadRetries()

    def configure(self, configs: Iterable[ModelConfig]) -> None:
        """Replaces the configuration, and waits until it is in force.

        Models that are not listed are unloaded.

        Raises:
          StatusError: a base path is no folder (NOT_FOUND; nothing is changed then), a version
            did not load (UNKNOWN), or a label names one that is not available
            (FAILED_PRECONDITION; labels then stay as they were).
        """
        new = {config.name: config for config in configs}
        for config in new.values():
            if not config.base_path.is_dir():
                raise StatusError(
                    status.NOT_FOUND,
                    f"Could not find base path {config.base_path} for servable {config.name}",
                )
        with self._reconciling:
            self._configs = new
            failed = self.reconcile()
            labels = {name: dict(config.labels) for name, config in self._configs.items()}
            if not self._labels_for_unavailable:
                self._check_labels(labels)
            with self._table:
                self._labels = labels
        if failed:
            causes = [
                f"{{{{name: {name} version: {version}}} due to error: "
                f"{status.NAMES[entry.code]}: {entry.message}}}, "
                for name, version in failed
                for entry in [self.statuses(name)[version]]
            ]
            raise StatusError(
                status.UNKNOWN,
                f"{len(failed)} servable(s) did not become available: {{{''.join(causes)}}}",
            )

    def reconcile(self) -> list[tuple[str, int]]:
        """One pass over the disk: loads what is wanted, then unloads what no longer is.

        Returns:
          The (model, version) that are wanted and cannot be loaded.
        """
        failed: list[tuple[str, int]] = []
        with self._reconciling:
            before = dict(self._servables)
            for config in self._configs.values():
                failed += self._reconcile_model(config)
            for name in set(self._servables) - set(self._configs):
                self._unload_all_but(name, set())
            if self._servables != before:
                _settle_memory()
        return failed

    def _reconcile_model(self, config: ModelConfig) -> list[tuple[str, int]]:
        """Keeps the best versions that can be loaded, so a bad new one leaves the old in place."""
        if not config.base_path.is_dir():  # a file system that is away is no order to unload
            _LOG.warning("Could not find base path %s: nothing is changed", config.base_path)
            return []
        folders = list_versions(config.base_path)
        serving = self._servables.setdefault(config.name, {})
        kept: set[int] = set()
        failed = []
        for version in config.candidates(folders):
            if len(kept) >= config.wanted:
                break
            if version in serving or self._try_to_load(config.name, version, folders[version]):
                kept.add(version)
            else:
                failed.append((config.name, version))
        self._unload_all_but(config.name, kept)
        return failed

    def _try_to_load(self, name: str, version: int, folder: Path) -> bool:
        files = fingerprint(folder)
        if not self._retries.may_load((name, version), files):
            return False
        self._set_status(name, version, VersionStatus(LOADING))
        try:
            servable = self._load(name, version, folder)
        except Exception as error:  # whatever a damaged model raises must not end the server
            self._retries.failed((name, version), files)
            self._set_status(name, version, failure(error))
            _LOG.error("Version %d of model %s cannot be served: %s", version, name, error)
            return False
        self._retries.loaded((name, version))
        with self._table:
            self._servables[name] = {**self._servables[name], version: servable}
            self._statuses[name][version] = VersionStatus(AVAILABLE)
        _LOG.info("Serving version %d of model %s", version, name)
        return True

    def _unload_all_but(self, name: str, kept: set[int]) -> None:
        for version in sorted(set(self._servables.get(name, {})) - kept):
            with self._table:
                serving = dict(self._servables[name])
                servable = serving.pop(version)
                self._servables[name] = serving
                self._statuses[name][version] = VersionStatus(UNLOADING)
            servable.close()  # waits for requests in flight
            self._set_status(name, version, VersionStatus(END))
            _LOG.info("Unloaded version %d of model %s", version, name)

    def _check_labels(self, labels: dict[str, dict[str, int]]) -> None:
        for name, by_label in labels.items():
            for version in by_label.values():
                if version not in self._servables.get(name, {}):
                    raise StatusError(
                        status.FAILED_PRECONDITION,
                        f"Request to assign label to version {version} of model {name}, "
                        "which is not currently available for inference",
                    )

    def _set_status(self, name: str, version: int, entry: VersionStatus) -> None:
        with self._table:
            self._statuses.setdefault(name, {})[version] = entry

    @contextmanager
    def servable(self, name: str, version: int | None = None, label: str | None = None) -> Iterator:
        """The version that a request asks for, kept loaded while in use; the newest by default.

        Raises:
          StatusError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        with self._table:
            if label:
                version = self._labels.get(name, {}).get(label)
                if version is None:
                    raise invalid_argument(f"Unrecognized servable version label: {label}")
            serving = self._servables.get(name, {})
            wanted = max(serving, default=None) if version is None else version
            if wanted is None or wanted not in serving:
                asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
                raise StatusError(status.NOT_FOUND, f"Servable not found for request: {asked}")
            holding = serving[wanted].in_use()
            servable = holding.__enter__()
        try:
            yield servable
        finally:
            holding.__exit__(None, None, None)

    def statuses(self, name: str) -> dict[int, VersionStatus]:
        """The state of every version seen since the start, newest first."""
        with self._table:
            return dict(sorted(self._statuses.get(name, {}).items(), reverse=True))

    def is_ready(self) -> bool:
        """Whether every configured model has a version to answer with."""
        with self._table:
            return bool(self._configs) and all(self._servables.get(n) for n in self._configs)

    def close(self) -> None:
        """Unloads everything."""
        with self._reconciling:
            for name in list(self._servables):
                self._unload_all_but(name, set())


def _settle_memory() -> None:
    """Frees unloaded graphs, which are cycles, and hides the loaded ones from the collector.

    Else the lists of a JSON request set off a walk over every object of TensorFlow and of the
    graphs: half a second in which nothing is answered.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
