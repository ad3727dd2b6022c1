"""What the looks at folders of files share: root/class/file, or root/group/class/file."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from components.episode_gen.inspection import base
from components.episode_gen.sources.file_kind import UnreadableFile
from components.episode_gen.sources.folder import list_files, other_files, suffix_of

Seen = TypeVar("Seen")


class Looked(NamedTuple, Generic[Seen]):
    """The files of a folder after each was read once.

    Attributes:
      seen: result for each readable file, by its name "class/file".
      unreadable: name -> reason.
      digests: name -> digest of the content of each readable file.
      grouped: whether there is a level of groups above the classes.
      others: files of other kinds, which are not read.
    """

    seen: dict[str, Seen]
    unreadable: dict[str, str]
    digests: dict[str, str]
    grouped: bool
    others: list[str]

    def class_sizes(self) -> dict[str, int]:
        """Readable files of each class."""
        return dict(Counter(map(class_of, self.seen)))

    def duplicates(self) -> list[list[str]]:
        """The names of equal files that lie in different classes."""
        return base.duplicates(self.digests, {name: class_of(name) for name in self.digests})

    def section(self, path: Path) -> dict[str, Any]:
        """The section `data`, as far as it is the same for every kind of file."""
        return (
            {"source": "folder", "path": str(path)}
            | ({"unreadable": "skip"} if self.unreadable else {})
            | ({"split_by": "group"} if self.grouped else {})
        )

    def facts(self) -> dict[str, str]:
        """What there is to tell of files of any kind."""
        groups = {name.partition("/")[0] for name in self.seen}
        grouped = {"groups": str(len(groups))} if self.grouped else {}
        others = {"not read": f"{_formats(self.others)} files"} if self.others else {}
        return {"formats": _formats(self.seen)} | others | grouped


def matches(path: Path, suffixes: frozenset[str]) -> bool:
    """Whether there are such files one or two folders down."""
    return path.is_dir() and any(list_files(path, suffixes, depth=depth) for depth in (1, 2))


def look_at_all(path: Path, suffixes: frozenset[str], look: Callable[[Path], Seen]) -> Looked[Seen]:
    """Looks at every file.

    Args:
      path: of the root.
      suffixes: of the files' names.
      look: at one file; raises `UnreadableFile`.
    """
    grouped = not list_files(path, suffixes, depth=1)
    depth = 2 if grouped else 1
    looked = Looked[Seen]({}, {}, {}, grouped, other_files(path, suffixes, depth=depth))
    for folder, files in list_files(path, suffixes, depth=depth).items():
        for file in files:
            name = f"{folder}/{file}"
            try:
                looked.seen[name] = look(path / name)
            except UnreadableFile as reason:
                looked.unreadable[name] = str(reason)
            else:
                looked.digests[name] = hashlib.sha256((path / name).read_bytes()).hexdigest()
    return looked


def class_of(name: str) -> str:
    """The folder that a file lies in."""
    return name.rpartition("/")[0]


def _formats(names: Iterable[str]) -> str:
    return base.counted(suffix_of(name).lstrip(".") or "other" for name in names)
