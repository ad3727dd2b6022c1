"""What the looks at folders of files share: root/class/file, or root/group/class/file."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from components.episode_gen.copies import find_copies
from components.episode_gen.inspection import base
from serving.files.class_folders import formats
from serving.files.folders import ClassFolders, split_like
from serving.files.unreadable import UnreadableFile, read_content

Seen = TypeVar("Seen")


class Looked(Generic[Seen]):
    """A look at every file of a folder; `look` looks at one, and raises `UnreadableFile`.

    `split_by` is as in the section `data`; None for what the folders suggest.

    Attributes:
      seen: what each readable file is, by its name, as "class/file".
      unreadable: name -> reason.
      copies: files that equal an earlier one: name -> that one.
    """

    def __init__(
        self,
        path: Path,
        folders: ClassFolders,
        look: Callable[[Path], Seen],
        split_by: str | None = None,
    ) -> None:
        self._path, self._folders = path, folders
        self._by_group = folders.depth == 2 and split_by != "class"
        self._split_by = split_by or "group"
        self.seen: dict[str, Seen] = {}
        self.unreadable = folders.misplaced | folders.unreadable
        digests = {}
        for folder, files in folders.files.items():
            for file in files:
                name = f"{folder}/{file}"
                try:
                    self.seen[name] = look(path / name)
                    digests[name] = hashlib.sha256(read_content(path / name)).hexdigest()
                except UnreadableFile as reason:
                    self.unreadable[name] = str(reason)
        self.copies = find_copies(digests, digests.__getitem__, digests.__getitem__)
        self._digests = digests

    def class_of(self, name: str) -> str:
        """The class of a file: its folder, with that above where it is a group or a split."""
        folder = name.rpartition("/")[0]
        return folder if self._by_group else folder.rpartition("/")[2]

    def inspection(
        self, kind: str, modality: str, section: Mapping[str, Any], facts: Mapping[str, str]
    ) -> base.Inspection:
        """The inspection: what all kinds of files share, and what only this kind has."""
        skip = {"unreadable": "skip"} if self.unreadable else {}
        by = {"split_by": self._split_by} if self._by_group else {}
        kept = base.without_copies(self.seen, self.copies, self.class_of)
        groups = {name.partition("/")[0] for name in kept}
        count = {"groups": str(len(groups))} if self._by_group else {}
        ignored = self._folders.ignored
        others = {"not read": formats(ignored)} if ignored else {}
        return base.Inspection(
            kind=kind,
            modality=modality,
            data={"source": "folder", "path": str(self._path), **skip, **by, **section},
            class_sizes=dict(Counter(map(self.class_of, kept))),
            facts={"formats": formats(self.seen), **others, **count, **facts},
            unreadable=self.unreadable,
            duplicates=base.duplicates(
                self._digests, {name: self.class_of(name) for name in self._digests}
            ),
            ignored=ignored,
            copies=self.copies,
            split_like=split_like(self._folders.files),
        )
