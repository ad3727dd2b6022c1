"""A folder with one sub-folder of images (png, jpg, bmp, gif; any size) a class."""

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Source, Stored
from components.episode_gen.sources.image_files import (
    SUFFIXES,
    UnreadableImage,
    check_start,
    decode,
    is_image_name,
)
from components.errors import UserError
from components.modalities.base import ExampleSpec


def open_source(data: DataOptions) -> Source:
    """The folder `data.path`.

    Raises:
      UserError: it is not there, or no sub-folder holds an image.
    """
    root = Path(data.path or "").expanduser()
    if not root.is_dir():
        raise UserError(
            f"`data.path` must be a folder with one sub-folder of images a class: "
            f"{str(root)!r} is not there. Correct the path (it is relative to the current folder)."
        )
    folder = Folder(root, data)
    if not folder.files:
        raise UserError(
            f"`data.path` must hold sub-folders of images ({', '.join(sorted(SUFFIXES))}): "
            f"{str(root)!r} holds none. Put the images of each class into a folder of its own."
        )
    return folder


class Folder:
    """Class names and example ids are paths relative to the root, as "shoes/left_3.png".

    With `split_by: group` there is one more level: group/class/image.
    """

    def __init__(self, root: Path, data: DataOptions) -> None:
        self.root = root
        self.size, self.channels = data.image_size, data.image_channels
        self.skips = data.unreadable == "skip"
        self.spec = ExampleSpec("image", "uint8", (self.size, self.size, self.channels))
        self.files = list_images(root, depth=2 if data.split_by == "group" else 1)

    @functools.cached_property
    def skipped(self) -> dict[str, str]:
        """What is left out, and why: example id -> reason; all files are decoded to find it."""
        return dict(find_unreadable(self.root, self.files)) if self.skips else {}

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Every image once; looks at the first bytes of each, or with `unreadable: skip` at all.

        Raises:
          UserError: a file is not an image, or cannot be read; the message names it.
        """
        for folder, images in self.files.items():
            group = folder.rpartition("/")[0] or None
            for image in images:
                example_id = f"{folder}/{image}"
                if example_id in self.skipped:
                    continue
                try:
                    check_start(self.root / example_id)
                except UnreadableImage as reason:
                    raise self._unreadable(example_id, reason) from None
                yield CatalogueEntry(folder, group, example_id)

    def parts(self) -> list[str]:
        return list(self.files)

    def read(self, part: str) -> Iterator[Stored]:
        """The images of one class, resized.

        Raises:
          UserError: an image cannot be decoded; the message names it.
        """
        from components.modalities.image import standardise

        for image in self.files[part]:
            example_id = f"{part}/{image}"
            try:
                decoded = decode(self.root / example_id)
            except UnreadableImage as reason:
                if self.skips:
                    continue
                raise self._unreadable(example_id, reason) from None
            resized = standardise(decoded, size=self.size, channels=self.channels)
            yield Stored(example_id, self.spec.to_bytes(resized.numpy()))

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for entry in self.files:
            for image in self.files[entry]:
                stat = (self.root / entry / image).stat()
                digest.update(f"{entry}/{image} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _unreadable(self, example_id: str, reason: Exception) -> UserError:
        return UserError(
            f"`data.path` must hold images that can be read: {str(self.root / example_id)!r} "
            f"cannot ({reason}). Mend the file, take it out of the folder, or set "
            "`data.unreadable` to skip."
        )


def list_images(root: Path, *, depth: int) -> dict[str, list[str]]:
    """The names of the images in each folder `depth` levels down that has some, all sorted."""
    found: dict[str, list[str]] = {}
    for folder in _folders(root, depth):
        images = sorted(e.name for e in os.scandir(root / folder) if is_image_name(e.name))
        if images:
            found[folder] = images
    return found


def find_unreadable(root: Path, files: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """(example id, reason) of every image that cannot be decoded."""
    for folder, images in files.items():
        for image in images:
            try:
                decode(root / folder / image)
            except UnreadableImage as reason:
                yield f"{folder}/{image}", str(reason)


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
