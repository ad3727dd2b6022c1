"""Loads, replaces and unloads versions while the server handles requests.

A new version becomes available, warmed up, before the old one is unloaded. A version that cannot be
loaded changes nothing but its own status, and is retried (`load_retries`).
"""

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from serving.model_server import freed_memory
from serving.model_server.base_path import check_base_path, is_folder, version_folders
from serving.model_server.load_retries import LoadRetries
from serving.model_server.model_config import ModelConfig
from serving.model_server.request_log.target import LogTarget
from serving.model_server.version_status import LOADING, VersionStatus, failure
from serving.model_server.version_table import Labels, VersionTable
from serving.model_versions.folders import fingerprint
from serving.protocol import status
from serving.protocol.status import StatusError

_LOG = logging.getLogger(__name__)

# (name, version, folder) -> a Servable, loaded and warmed up.
Loader = Callable[[str, int, Path], Any]


class ModelManager:
    """Serves the versions that the configuration and the disk give; one thread at a time acts."""

    def __init__(
        self,
        load: Loader,
        *,
        labels_for_unavailable: bool = False,
        retries: LoadRetries | None = None,
    ):
        self._load = load
        # Whether labels may name versions that are not loaded.
        self._labels_for_unavailable = labels_for_unavailable
        self.versions = VersionTable()
        self._reconciling = threading.RLock()
        self._configs: dict[str, ModelConfig] = {}
        self._retries = retries or LoadRetries()

    def configure(self, configs: Iterable[ModelConfig]) -> None:
        """Replaces the configuration, waits for its versions, and unloads models not listed.

        StatusError: a base path is not one of versions (nothing changes then), a version did
        not load (UNKNOWN), or a label names a version that is not available (FAILED_PRECONDITION;
        the labels do not change then).
        """
        new = {config.name: config for config in configs}
        for config in new.values():
            check_base_path(config.name, config.base_path)
        with self._reconciling:
            self._configs = new
            failed = self.reconcile()
            labels = {name: dict(config.labels) for name, config in new.items()}
            if not self._labels_for_unavailable:
                self._check_labels(labels)
            self.versions.set_labels(labels)
        if failed:
            causes = [
                f"{{{{name: {name} version: {version}}} due to error: "
                f"{status.NAMES[entry.code]}: {entry.message}}}, "
                for name, version in failed
                for entry in [self.versions.statuses(name)[version]]
            ]
            raise StatusError(
                status.UNKNOWN,
                f"{len(failed)} servable(s) did not become available: {{{''.join(causes)}}}",
            )

    def reconcile(self) -> list[tuple[str, int]]:
        """Loads what is to be served, then unloads others; returns what could not be loaded."""
        failed: list[tuple[str, int]] = []
        with self._reconciling:
            before = self.versions.loaded_versions()
            for config in self._configs.values():
                failed += self._reconcile_model(config)
            loaded = self.versions.loaded_versions()
            self._unload(key for key in loaded if key[0] not in self._configs)
            if self.versions.loaded_versions() != before:
                freed_memory.settle()
        return failed

    def _reconcile_model(self, config: ModelConfig) -> list[tuple[str, int]]:
        """Serves the best versions that load, so the old one stays if the new one does not."""
        # A file system that is unavailable for a while must not unload.
        if not is_folder(config.base_path):
            _LOG.warning("Could not find base path %s: nothing is changed", config.base_path)
            return []
        folders = version_folders(config.base_path)
        loaded = {key for key in self.versions.loaded_versions() if key[0] == config.name}
        kept: set[tuple[str, int]] = set()
        failed = []
        for version in config.candidates(folders):
            if len(kept) >= config.max_versions:
                break
            key = config.name, version
            if key in loaded or self._try_to_load(*key, folders[version]):
                kept.add(key)
            else:
                failed.append(key)
        self._unload(loaded - kept)
        return failed

    def _try_to_load(self, name: str, version: int, folder: Path) -> bool:
        files = fingerprint(folder)
        if not self._retries.may_load((name, version), files):
            return False
        self.versions.set_status(name, version, VersionStatus(LOADING))
        try:
            servable = self._load(name, version, folder)
        except Exception as error:  # a damaged model may raise anything; the server must go on
            self._retries.add_failure((name, version), files)
            self.versions.set_status(name, version, failure(error))
            _LOG.error("Version %d of model %s cannot be served: %s", version, name, error)
            return False
        self._retries.forget((name, version))
        self.versions.add(name, version, servable)
        _LOG.info("Serving version %d of model %s", version, name)
        return True

    def _unload(self, keys: Iterable[tuple[str, int]]) -> None:
        for name, version in sorted(keys):
            self.versions.remove(name, version)
            _LOG.info("Unloaded version %d of model %s", version, name)

    def _check_labels(self, labels: Labels) -> None:
        loaded = self.versions.loaded_versions()
        for name, by_label in labels.items():
            for version in by_label.values():
                if (name, version) not in loaded:
                    raise StatusError(
                        status.FAILED_PRECONDITION,
                        f"Request to assign label to version {version} of model {name}, "
                        "which is not currently available for inference",
                    )

    def log_target(self, name: str) -> LogTarget | None:
        """The log that the configuration of a model gives."""
        config = self._configs.get(name)
        return config.log if config else None

    def is_ready(self) -> bool:
        """Tells whether every configured model has a loaded version."""
        configured = set(self._configs)
        loaded = {name for name, _ in self.versions.loaded_versions()}
        return bool(configured) and configured <= loaded

    def close(self) -> None:
        """Unloads all versions."""
        with self._reconciling:
            self._unload(self.versions.loaded_versions())
