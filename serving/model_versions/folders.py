"""Version folders: `base_path/<number>/saved_model.pb`.

Publishing is atomic: a folder is complete or absent, and never overwritten. Old versions are
deleted by a policy that keeps the one being served.
"""

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from pathlib import Path

from serving import atomic
from serving.errors import UserError
from serving.model_versions.in_use import is_in_use

_VERSION = re.compile(r"[0-9]+$")
_MAX_VERSION = 2**63 - 1  # of the protocol's int64


def list_versions(base_path: Path) -> dict[int, Path]:
    """Lists the version folders by number; names that are no number of 64 bits are skipped.

    Leading zeros are allowed; of two folders with the same number the first by name is listed. A
    base path that does not exist has no versions.
    """
    try:
        entries = sorted(base_path.iterdir(), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    folders = {int(e.name): e for e in entries if _VERSION.fullmatch(e.name) and e.is_dir()}
    return {number: folders[number] for number in sorted(folders) if number <= _MAX_VERSION}


def next_version(existing: Iterable[int], *, now: int) -> int:
    """The number of a new version: the time in seconds, or one more than the greatest.

    It exceeds all existing numbers even if the clock stood still or was set back.
    """
    return max([now, *(version + 1 for version in existing)])


def publish(model: Path, base_path: Path, *, now: int) -> Path:
    """Copies a SavedModel to a new version folder and returns it; UserError if it is none.

    The version appears whole. If another publisher took the number meanwhile, the copy is made
    again under the next one. `base_path` is made if absent; `now` is in seconds since the epoch.
    """
    if not (model / "saved_model.pb").is_file():
        raise UserError(f"`model` must be a folder with a saved_model.pb; {model} has none.")
    base_path.mkdir(parents=True, exist_ok=True)
    while True:
        folder = base_path / str(next_version(list_versions(base_path), now=now))
        try:
            with atomic.replacement(folder) as temporary:
                _flush_to_disk(shutil.copytree(model, Path(temporary)))
            return folder
        except OSError:
            if not folder.exists():
                raise


def drop_versions(
    base_path: Path, *, keep: int, loads: Callable[[Path], bool], served: Collection[int] = ()
) -> list[int]:
    """Deletes old version folders, and never the one that a server serves; returns their numbers.

    The newest `keep` versions that load are kept; a server serves the newest of those, even if a
    version that does not load has a greater number. Older versions are deleted, unless one is in
    use (by a server that was rolled back to it) or in `served`: `in_use` knows only this machine's
    servers. Versions that do not load are not counted: one is deleted when it is older than those
    kept; until then its files stay, to find out why. `loads` is called from the newest version
    down, until `keep` of them load.

    A folder is renamed before it is deleted, so that no server reads an incomplete one.
    """
    if keep < 1:
        raise UserError(f"`keep` must be at least 1 version; got {keep}.")
    folders = list_versions(base_path)
    newest_first = sorted(folders, reverse=True)
    newest_that_load = list(islice((v for v in newest_first if loads(folders[v])), keep))
    if len(newest_that_load) < keep:
        return []
    older = [v for v in folders if v < newest_that_load[-1]]
    unused = [v for v in older if v not in served and not is_in_use(folders[v])]
    for version in unused:
        # Every server ignores a folder whose name is not a number.
        hidden = base_path / f".dropped-{version}"
        os.rename(folders[version], hidden)
        shutil.rmtree(hidden)
        for file in base_path.glob(f"{folders[version].name}.*"):  # what was kept beside it
            file.unlink()
    return unused


def fingerprint(folder: Path) -> object:
    """Gives a value that changes with any file of the folder; None if the folder vanishes.

    Of more than 10,000 files, which no version has, only those are looked at.
    """
    try:
        files = [(str(p), p.stat()) for p in islice(folder.rglob("*"), 10_000)]
    except OSError:
        return None
    return sorted((path, s.st_size, s.st_mtime_ns) for path, s in files)


def _flush_to_disk(folder: Path) -> None:
    """Flushes the files: a rename may survive a power cut that unflushed contents do not."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
