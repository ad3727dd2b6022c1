"""A folder as one packed file, and back: tar and xz, the same bytes for the same files."""

import hashlib
import io
import tarfile
from pathlib import Path, PurePosixPath

from serving import atomic
from serving.errors import UserError

SUFFIX = ".tar.xz"
"""xz finds equal bytes at any distance: weights that two files hold are packed once."""


def pack(folder: Path, file: Path) -> None:
    """Packs the files of a folder, sorted by name and without dates or owners."""
    with atomic.replacement(file) as temporary, tarfile.open(temporary, "w:xz") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            content = path.read_bytes()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def unpack(file: Path, folder: Path) -> None:
    """Unpacks the ordinary files of a packed file into a folder; nothing is written beside it.

    Raises:
      UserError: it is no packed file, or a name in it leads out of the folder.
    """
    try:
        with tarfile.open(file, "r:xz") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if name.is_absolute() or ".." in name.parts:
                    raise UserError(f"{file} must hold names below its folder: got {member.name}.")
                content = archive.extractfile(member) if member.isreg() else None
                if content is not None:
                    target = folder / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"{file} must be a packed model that can be written: {error}.") from error


def sha256_of(file: Path) -> str:
    """The sha256 of a file, in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
