"""Folders of classes: root/class/file, or root/group/class/file; what is in them, and what is not.

One walk lists every file; a choice then says which of them are examples. Whatever is not taken is
named with its reason, so nothing vanishes.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from serving.files.unreadable import printable, reason_of

MAX_DEPTH = 4  # folders below the root that are looked into; group/class needs two
SYSTEM_NAMES = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin"})
"""Files and folders that operating systems put beside people's own, in lower case."""
EMPTY = "it is an empty folder"  # a reason of `Listing.ignored`
SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval"), "eval"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Folders of these names, in lower case, hold splits of a data set, not groups or classes of their
own; the split that each is."""


class Listing(NamedTuple):
    """Every file below a root; names are paths relative to it, with "/" between folders."""

    files: list[str]  # ordinary visible files, sorted
    ignored: dict[str, str]  # hidden and system files and folders: name -> reason
    unreadable: dict[str, str]  # what cannot be opened or named: name -> reason


class ClassFolders(NamedTuple):
    """The examples of a folder."""

    depth: int  # 1 for root/class/file, 2 for root/group/class/file
    # Folder of a class, as "class" or "group/class" -> the names of its files, all sorted.
    files: dict[str, list[str]]
    ignored: dict[str, str]  # what nobody would take for an example: name -> reason
    misplaced: dict[str, str]  # files of the wanted kind that lie in no class: name -> reason
    unreadable: dict[str, str]  # what cannot be opened or named: name -> reason

    def left_out(self) -> dict[str, str]:
        """All that is no example: name -> reason."""
        return self.ignored | self.misplaced | self.unreadable


class SplitLike(NamedTuple):
    """Signs that folders are splits of one set of classes, and no groups."""

    names: list[str]  # the folders, sorted
    by_name: bool  # whether they are called train, val, test or the like
    same_classes: bool  # whether each holds the same classes


def list_files(root: Path) -> Listing:
    """Walks a folder; links are followed unless they lead in a circle."""
    listing = Listing([], {}, {})
    _walk(root, "", 0, frozenset({os.path.realpath(root)}), listing)
    listing.files.sort()
    return listing


def choose(
    listing: Listing, suffixes: frozenset[str], *, kind: str, depth: int | None = None
) -> ClassFolders:
    """The files of one kind that lie in a class.

    `kind` is their plural, for the reasons ("pictures"); `suffixes` are in lower case; `depth` is
    that of the classes, None for 1 or 2, whichever has more such files.
    """
    wanted = [name for name in listing.files if suffix_of(name) in suffixes]
    depths = Counter(name.count("/") for name in wanted)
    if depth is None:
        depth = 2 if depths[2] > depths[1] else 1
    files: dict[str, list[str]] = defaultdict(list)
    misplaced = {}
    for name in wanted:
        folder, _, file = name.rpartition("/")
        level = name.count("/")
        if level == depth:
            files[folder].append(file)
        else:
            away = "one folder" if abs(level - depth) == 1 else f"{abs(level - depth)} folders"
            side = "above" if level < depth else "below"
            misplaced[name] = f"it lies {away} {side} those of the classes"
    ignored = dict(listing.ignored)
    for name in listing.files:
        ending = suffix_of(name)
        if ending not in suffixes:
            what = f"it is a {ending} file" if ending else "its name has no ending"
            ignored[name] = f"{what}; {kind} are looked for"
    sorted_files = {folder: sorted(files[folder]) for folder in sorted(files)}
    return ClassFolders(depth, sorted_files, ignored, misplaced, dict(listing.unreadable))


def split_like(folders: Iterable[str]) -> SplitLike | None:
    """Signs of splits among the folders of `ClassFolders.files`; None if there are none."""
    folders = list(folders)
    classes: dict[str, set[str]] = defaultdict(set)
    for folder in folders:
        group, _, name = folder.rpartition("/")
        classes[group or name].add(name if group else "")
    names = sorted(classes)
    by_name = len(names) > 1 and sum(name.lower() in SPLIT_NAMES for name in names) > 1
    sets = {frozenset(names) for names in classes.values()}
    grouped = any("/" in folder for folder in folders)
    same = grouped and len(names) > 1 and len(sets) == 1
    return SplitLike(names, by_name, same) if by_name or same else None


def suffix_of(name: str) -> str:
    """In lower case, as ".png"."""
    return PurePosixPath(name).suffix.lower()


def _walk(root: Path, folder: str, depth: int, above: frozenset[str], listing: Listing) -> None:
    """Lists what is in a folder; `above`: the real paths of it and of those that hold it."""
    try:
        entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
    except OSError as error:
        listing.unreadable[printable(folder) or "."] = reason_of(error)
        return
    if not entries:
        listing.ignored[folder or "."] = EMPTY
    for entry in entries:
        name = f"{folder}/{entry.name}" if folder else entry.name
        if not _is_utf8(name):
            listing.unreadable[printable(name)] = "its name is not in UTF-8"
        elif entry.name.startswith("."):
            listing.ignored[name] = "it is hidden"
        elif entry.name.lower() in SYSTEM_NAMES:
            listing.ignored[name] = "it was made by an operating system"
        elif _is(entry.is_file):
            listing.files.append(name)
        elif not _is(entry.is_dir):
            link = entry.is_symlink()
            listing.unreadable[name] = "it is a broken link" if link else "it is no ordinary file"
        else:
            real = os.path.realpath(entry.path)
            if real in above:
                listing.ignored[name] = "it is a link to a folder that holds it"
            elif depth >= MAX_DEPTH:
                listing.ignored[name] = f"it lies more than {MAX_DEPTH} folders deep"
            else:
                _walk(root, name, depth + 1, above | {real}, listing)


def _is_utf8(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:  # the system's way to pass on bytes that are none
        return False


def _is(test: Callable[[], bool]) -> bool:
    try:
        return test()
    except OSError:  # links in a circle
        return False
