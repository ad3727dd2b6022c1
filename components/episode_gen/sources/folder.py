"""A folder with one sub-folder of files a class: images of any size, or wav files of any length."""

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Source, Stored
from components.episode_gen.sources.file_kind import FileKind, UnreadableFile
from components.episode_gen.sources.image_files import SUFFIXES, image_files
from components.episode_gen.sources.wav_files import wav_files
from serving.errors import UserError


def open_source(data: DataOptions) -> Source:
    """The folder `data.path`: of images, or of wav files where it holds no image.

    Raises:
      UserError: it is not there, or no sub-folder holds either.
    """
    root = Path(data.path or "").expanduser()
    if not root.is_dir():
        raise UserError(
            f"`data.path` must be a folder with one sub-folder of files a class: "
            f"{str(root)!r} is not there. Correct the path (it is relative to the current folder)."
        )
    kinds = image_files(data), wav_files(data)
    for kind in kinds:
        folder = Folder(root, data, kind)
        if folder.files:
            return folder
    suffixes = ", ".join(sorted(suffix for kind in kinds for suffix in kind.suffixes))
    raise UserError(
        f"`data.path` must hold sub-folders of images or wav files ({suffixes}): {str(root)!r} "
        "holds none. Put the files of each class into a folder of its own."
    )


class Folder:
    """Class names and example ids are paths relative to the root, as "shoes/left_3.png".

    With `split_by: group` there is one more level: group/class/file.
    """

    def __init__(self, root: Path, data: DataOptions, kind: FileKind) -> None:
        self.root, self.kind, self.spec = root, kind, kind.spec
        self.skips = data.unreadable == "skip"
        depth = 2 if data.split_by == "group" else 1
        self.files = list_files(root, kind.suffixes, depth=depth)

    @functools.cached_property
    def skipped(self) -> dict[str, str]:
        """What is left out, and why: example id -> reason; all files are decoded to find it."""
        return dict(self._find_unreadable()) if self.skips else {}

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Every file once; looks at its beginning, or with `unreadable: skip` at all of it.

        Raises:
          UserError: a file is not of this kind, or cannot be read; the message names it.
        """
        for folder, files in self.files.items():
            group = folder.rpartition("/")[0] or None
            for file in files:
                example_id = f"{folder}/{file}"
                if example_id in self.skipped:
                    continue
                try:
                    self.kind.check(self.root / example_id)
                except UnreadableFile as reason:
                    raise self._unreadable(example_id, reason) from None
                yield CatalogueEntry(folder, group, example_id)

    def parts(self) -> list[str]:
        return list(self.files)

    def read(self, part: str) -> Iterator[Stored]:
        """The examples of one class.

        Raises:
          UserError: a file cannot be decoded; the message names it.
        """
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
        for folder, files in self.files.items():
            for file in files:
                stat = (self.root / folder / file).stat()
                digest.update(f"{folder}/{file} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _find_unreadable(self) -> Iterator[tuple[str, str]]:
        for folder, files in self.files.items():
            for file in files:
                try:
                    self.kind.read(self.root / folder / file)
                except UnreadableFile as reason:
                    yield f"{folder}/{file}", str(reason)

    def _unreadable(self, example_id: str, reason: Exception) -> UserError:
        return UserError(
            f"`data.path` must hold {self.kind.plural} that can be read: "
            f"{str(self.root / example_id)!r} "
            f"cannot ({reason}). Mend the file, take it out of the folder, or set "
            "`data.unreadable` to skip."
        )


def list_images(root: Path, *, depth: int) -> dict[str, list[str]]:
    """`list_files` for images."""
    return list_files(root, SUFFIXES, depth=depth)


def list_files(root: Path, suffixes: frozenset[str], *, depth: int) -> dict[str, list[str]]:
    """The names of such files in each folder `depth` levels down that has some, all sorted.

    Hidden files are left out.
    """
    visible = {folder: _visible_files(root / folder) for folder in _folders(root, depth)}
    found = {
        folder: [name for name in names if suffix_of(name) in suffixes]
        for folder, names in visible.items()
    }
    return {folder: names for folder, names in found.items() if names}


def other_files(root: Path, suffixes: frozenset[str], *, depth: int) -> list[str]:
    """The names of the visible files in these folders that `list_files` leaves out."""
    names = [name for folder in _folders(root, depth) for name in _visible_files(root / folder)]
    return [name for name in names if suffix_of(name) not in suffixes]


def suffix_of(name: str) -> str:
    """In lower case, as ".png"."""
    return Path(name).suffix.lower()


def _visible_files(folder: Path) -> list[str]:
    """Sorted."""
    return sorted(
        entry.name
        for entry in os.scandir(folder)
        if entry.is_file() and not entry.name.startswith(".")
    )


def _folders(root: Path, depth: int) -> list[str]:
    """The relative paths of all visible folders `depth` levels down, sorted."""
    found = [""]
    for _ in range(depth):
        found = [
            f"{parent}/{entry.name}".lstrip("/")
            for parent in found
            for entry in os.scandir(root / parent)
            if entry.is_dir() and not entry.name.startswith(".")
        ]
    return sorted(found)
