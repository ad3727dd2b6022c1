"""Loads, swaps and unloads versions while requests are answered.

A new version becomes available, warmed up, before the old one is unloaded; a version that cannot
be loaded changes nothing but its own status, and is tried again (`load_retries`).
"""

import gc
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from serving.model_server.load_retries import LoadRetries
from serving.model_server.model_config import ModelConfig
from serving.model_server.version_status import LOADING, VersionStatus, failure
from serving.model_server.version_table import Labels, VersionTable
from serving.model_versions.folders import fingerprint, list_versions
from serving.protocol import status
from serving.protocol.status import StatusError

_LOG = logging.getLogger(__name__)

# (name, version, folder) -> a Servable, loaded and warmed up.
Loader = Callable[[str, int, Path], Any]


class ModelManager:
    """Keeps what is served as the configuration and the disk have it, one thread at a time.

    Attributes:
      versions: what is served, for the requests.
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
        self.versions = VersionTable()
        self._reconciling = threading.RLock()
        self._configs: dict[str, ModelConfig] = {}
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
        """One pass over the disk: loads what is wanted, then unloads what no longer is.

        Returns:
          The (model, version) that are wanted and cannot be loaded.
        """
        failed: list[tuple[str, int]] = []
        with self._reconciling:
            before = self.versions.loaded()
            for config in self._configs.values():
                failed += self._reconcile_model(config)
            self._unload(key for key in self.versions.loaded() if key[0] not in self._configs)
            if self.versions.loaded() != before:
                _settle_memory()
        return failed

    def _reconcile_model(self, config: ModelConfig) -> list[tuple[str, int]]:
        """Keeps the best versions that can be loaded, so a bad new one leaves the old in place."""
        if not config.base_path.is_dir():  # a file system that is away is no order to unload
            _LOG.warning("Could not find base path %s: nothing is changed", config.base_path)
            return []
        folders = list_versions(config.base_path)
        loaded = {key for key in self.versions.loaded() if key[0] == config.name}
        kept: set[tuple[str, int]] = set()
        failed = []
        for version in config.candidates(folders):
            if len(kept) >= config.wanted:
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
        except Exception as error:  # whatever a damaged model raises must not end the server
            self._retries.failed((name, version), files)
            self.versions.set_status(name, version, failure(error))
            _LOG.error("Version %d of model %s cannot be served: %s", version, name, error)
            return False
        self._retries.loaded((name, version))
        self.versions.add(name, version, servable)
        _LOG.info("Serving version %d of model %s", version, name)
        return True

    def _unload(self, keys: Iterable[tuple[str, int]]) -> None:
        for name, version in sorted(keys):
            self.versions.remove(name, version)
            _LOG.info("Unloaded version %d of model %s", version, name)

    def _check_labels(self, labels: Labels) -> None:
        loaded = self.versions.loaded()
        for name, by_label in labels.items():
            for version in by_label.values():
                if (name, version) not in loaded:
                    raise StatusError(
                        status.FAILED_PRECONDITION,
                        f"Request to assign label to version {version} of model {name}, "
                        "which is not currently available for inference",
                    )

    def is_ready(self) -> bool:
        """Whether every configured model has a version to answer with."""
        configured = set(self._configs)
        return bool(configured) and configured <= {name for name, _ in self.versions.loaded()}

    def close(self) -> None:
        """Unloads everything."""
        with self._reconciling:
            self._unload(self.versions.loaded())


def _settle_memory() -> None:
    """Frees unloaded graphs, which are cycles, and hides the loaded ones from the collector.

    Else the lists of a JSON request set off a walk over every object of TensorFlow and of the
    graphs: half a second in which nothing is answered.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
