"""A look at a user's own files, before there is any configuration."""

from pathlib import Path

from components.episode_gen.inspection.base import Inspection
from serving.errors import UserError
from serving.files import tables
from serving.files.class_folders import open_folder


def inspect(path: Path, *, split_by: str | None = None, **columns: str | None) -> Inspection:
    """Looks at what lies at a path: a table of texts, or a folder of images or recordings.

    Args:
      path: a file or a folder.
      split_by: "class" to pool the classes of all groups, "group" to keep each group in one split,
        "given" where the groups are called train, val and test; None for a guess of a folder, and
        "class" of a table.
      **columns: of a table: the options `input_feature`, `label_feature` and `group_feature`.

    Raises:
      UserError: nothing is there, or nothing that can be learned from.
    """
    from components.episode_gen.inspection import images, recordings, texts

    path = path.expanduser()
    try:
        str(path).encode()
    except UnicodeEncodeError:  # a configuration could not name it
        raise UserError(f"PATH must be a name in UTF-8: {str(path)!r} is not. Rename it.") from None
    if path.is_dir():
        kind, folders = open_folder(path, name="PATH")
        module = images if kind.modality == "image" else recordings
        return module.inspect(path, folders, split_by)
    if tables.is_table(path):
        return texts.inspect(path, split_by, columns)
    raise UserError(
        f"PATH must be a folder with one sub-folder of images or recordings a class, or a table of "
        f"texts ({', '.join(tables.SUFFIXES)}): {str(path)!r} is "
        f"{'neither' if path.exists() else 'not there'}."
    )
