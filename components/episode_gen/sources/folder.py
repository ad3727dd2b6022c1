"""A folder with one sub-folder of images (png, jpg, bmp, gif; any size) a class."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Source, Stored
from components.errors import UserError
from components.modalities.base import ExampleSpec

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif"}
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF8")


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
        self.spec = ExampleSpec("image", "uint8", (self.size, self.size, self.channels))
        depth = 2 if data.split_by == "group" else 1
        self.files: dict[str, list[str]] = {}
        for folder in _folders(root, depth):
            images = sorted(
                entry.name
                for entry in os.scandir(root / folder)
                if Path(entry.name).suffix.lower() in SUFFIXES and not entry.name.startswith(".")
            )
            if images:
                self.files[folder] = images

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Every image once; looks at the first bytes of each.

        Raises:
          UserError: a file is not an image, or cannot be read; the message names it.
        """
        for folder, images in self.files.items():
            group = folder.rpartition("/")[0] or None
            for image in images:
                self._check_signature(f"{folder}/{image}")
                yield CatalogueEntry(folder, group, f"{folder}/{image}")

    def parts(self) -> list[str]:
        return list(self.files)

    def read(self, part: str) -> Iterator[Stored]:
        """The images of one class, resized.

        Raises:
          UserError: an image cannot be decoded; the message names it.
        """
        import tensorflow as tf

        from components.modalities.image import decode_file, standardise

        for image in self.files[part]:
            example_id = f"{part}/{image}"
            try:
                decoded = decode_file(tf.io.read_file(str(self.root / example_id)))
                # A file may decode to an empty image.
                if 0 in decoded.shape:
                    raise tf.errors.InvalidArgumentError(None, None, "it is empty")
            except tf.errors.OpError as error:
                raise self._unreadable(example_id, error.message.splitlines()[0]) from None
            resized = standardise(decoded, size=self.size, channels=self.channels)
            yield Stored(example_id, self.spec.to_bytes(resized.numpy()))

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for entry in self.files:
            for image in self.files[entry]:
                stat = (self.root / entry / image).stat()
                digest.update(f"{entry}/{image} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _check_signature(self, example_id: str) -> None:
        try:
            with open(self.root / example_id, "rb") as file:
                start = file.read(8)
        except OSError as error:
            raise self._unreadable(example_id, error.strerror or str(error)) from None
        if not start.startswith(SIGNATURES):
            raise self._unreadable(example_id, "it is not a png, jpg, bmp or gif file")

    def _unreadable(self, example_id: str, reason: str) -> UserError:
        return UserError(
            f"`data.path` must hold images that can be read: {str(self.root / example_id)!r} "
            f"cannot ({reason}). Mend the file or take it out of the folder."
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
