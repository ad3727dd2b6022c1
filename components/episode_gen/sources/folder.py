"""A folder with one sub-folder of files a class: images or recordings of any size."""

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from components.episode_gen.copies import find_copies
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, FileKind, Source, Stored
from components.episode_gen.sources.image_files import image_files
from components.episode_gen.sources.recording_files import recording_files
from serving.errors import UserError
from serving.files.class_folders import open_folder
from serving.files.folders import ClassFolders
from serving.files.unreadable import UnreadableFile


def open_source(data: DataOptions) -> Source:
    """Opens the folder `data.path`: of images or of recordings, whichever it has more of.

    Raises:
      UserError: it is not there, or no sub-folder holds either.
    """
    root = Path(data.path or "").expanduser()
    depth = None if data.split_by == "class" else 2
    kind, folders = open_folder(root, name="`data.path`", depth=depth)
    files = image_files(data) if kind.modality == "image" else recording_files(data)
    return Folder(root, data, files, folders)


class Folder:
    """Classes and files below a root; example ids are relative paths, as "shoes/left_3.png".

    In root/group/class/file, classes are named by the last folder unless `data.split_by` is group
    (the same name in two groups is then one class), then by both, as "group/class".
    """

    def __init__(
        self, root: Path, data: DataOptions, kind: FileKind, folders: ClassFolders
    ) -> None:
        self.root, self.kind, self.spec = root, kind, kind.spec
        self.skips, self.keeps_copies = data.unreadable == "skip", data.copies == "keep"
        self.by_group = data.split_by == "group"
        self.files, self.ignored = folders.files, folders.ignored  # as in `ClassFolders`
        self._outside = folders.misplaced | folders.unreadable

    @functools.cached_property
    def skipped(self) -> dict[str, str]:
        """What is left out, and why: example id -> reason; all files are decoded to find it."""
        if not self.skips:
            return {}
        unreadable = dict(self._outside)
        for name in self._names:
            try:
                self.kind.read(self.root / name)
            except UnreadableFile as reason:
                unreadable[name] = str(reason)
        return unreadable

    @functools.cached_property
    def copies(self) -> dict[str, str]:
        """Files that equal an earlier one: example id -> that one."""
        return {} if self.keeps_copies else find_copies(self._names, self._size, self._hash)

    @property
    def _names(self) -> list[str]:
        return [f"{folder}/{file}" for folder, files in self.files.items() for file in files]

    def _size(self, name: str) -> int:
        try:
            return (self.root / name).stat().st_size
        except OSError:
            return -1

    def _hash(self, name: str) -> str:
        try:
            return hashlib.sha256((self.root / name).read_bytes()).hexdigest()
        except OSError:
            return name  # equal to none

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Lists every file once; looks at its header, or with `unreadable: skip` at all of it."""
        for name, reason in {} if self.skips else self._outside.items():
            raise self._unreadable(name, reason)
        for example_id in self._names:
            if example_id in self.skipped:
                continue
            try:
                self.kind.check(self.root / example_id)
            except UnreadableFile as reason:
                raise self._unreadable(example_id, reason) from None
            folder = example_id.rpartition("/")[0]
            group, _, name = folder.rpartition("/")
            yield CatalogueEntry(folder if self.by_group else name, group or None, example_id)

    def parts(self) -> list[str]:
        return list(self.files)

    def read(self, part: str) -> Iterator[Stored]:
        for file in self.files[part]:
            example_id = f"{part}/{file}"
            try:
                example = self.kind.read(self.root / example_id)
            except UnreadableFile as reason:
                if self.skips:
                    continue
                raise self._unreadable(example_id, reason) from None
            yield Stored(example_id, self.spec.to_bytes(example))

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for name in self._names:
            stat = (self.root / name).stat()
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _unreadable(self, example_id: str, reason: object) -> UserError:
        return UserError(
            f"`data.path` must hold {self.kind.plural} that can be read: "
            f"{str(self.root / example_id)!r} "
            f"cannot ({reason}). Mend the file, take it out of the folder, or set "
            "`data.unreadable` to skip."
        )
