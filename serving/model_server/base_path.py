"""Finds the version folders of a base path, whatever folder that is.

A reload may name any folder of the machine: /proc has a folder for each process, and none of them
is a version.
"""

import os
from itertools import islice
from pathlib import Path

from serving.model_versions.folders import list_versions
from serving.protocol.status import NOT_FOUND, StatusError, invalid_argument

_MAX_ENTRIES = 100_000  # of a base path; more are not looked at
_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
_WITHOUT_MODEL = (
    8  # the newest versions without a model that are tried, so that their status says why
)


def is_folder(path: Path) -> bool:
    """Tells whether a path is a folder; what cannot be looked at is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):  # too long a name, no right to enter, a zero byte
        return False


def check_base_path(name: str, path: Path) -> None:
    """Checks the base path of the model `name`.

    Raises:
      StatusError: it is not a folder (NOT_FOUND), or surely not one of versions (INVALID_ARGUMENT).
    """
    if not is_folder(path):
        raise StatusError(NOT_FOUND, f"Could not find base path {path} for servable {name}")
    with os.scandir(path) as entries:
        count = sum(1 for _ in islice(entries, _MAX_ENTRIES + 1))
    if count > _MAX_ENTRIES:
        raise invalid_argument(
            f"The base path of servable {name} must have at most {_MAX_ENTRIES} entries, most of "
            f"them version folders; {path} has more"
        )
    numbered = list_versions(path)
    if len(numbered) > _WITHOUT_MODEL and not any(map(_has_model, numbered.values())):
        raise invalid_argument(
            f"The base path of servable {name} must be a folder of version folders; none of the "
            f"{len(numbered)} numbered folders in {path} holds a {_MODEL_FILES[0]}"
        )


def version_folders(path: Path) -> dict[int, Path]:
    """Lists the version folders that hold a model, and the newest of those that do not."""
    numbered = list_versions(path)
    without = [version for version in sorted(numbered) if not _has_model(numbered[version])]
    for version in without[:-_WITHOUT_MODEL]:
        del numbered[version]
    return numbered


def _has_model(folder: Path) -> bool:
    try:
        return any((folder / name).is_file() for name in _MODEL_FILES)
    except OSError:
        return False
