"""Paths that TensorFlow and TFX do not take for patterns."""

import hashlib
import os
import tempfile
from pathlib import Path

from serving.errors import UserError


def without_pattern_signs(folder: Path) -> Path:
    """The folder, or a link to it where its path has a sign of a pattern: *, ?, [ or ].

    TFX and the loader of SavedModels look for files by patterns, and find none below such a path.
    The link is the same every time, as a metadata store keeps the paths of artifacts.

    Raises:
      UserError: the link cannot be made.
    """
    if not set("*?[]") & set(str(folder)):
        return folder
    folder = folder.absolute()
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    link = Path(tempfile.gettempdir()) / f"fewshot-{os.getuid()}-{digest}"
    try:
        if link.is_symlink() and os.readlink(link) != str(folder):
            link.unlink()
        if not link.is_symlink():
            link.symlink_to(folder)
    except FileExistsError:  # another process has made it
        pass
    except OSError as error:
        raise UserError(
            f"A folder must have a path without *, ?, [ and ], or {link} must be a link to it: "
            f"{str(folder)!r} ({error.strerror})."
        ) from None
    return link
