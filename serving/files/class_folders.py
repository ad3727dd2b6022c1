"""A folder of classes of pictures or of recordings, opened whatever it is to be used for."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from serving.errors import UserError
from serving.files import picture_header, recordings
from serving.files.folders import ClassFolders, choose, list_files, suffix_of


class Kind(NamedTuple):
    """A kind of files: the modality of its examples, its plural, and endings of names."""

    modality: str
    plural: str
    suffixes: frozenset[str]


KINDS = (
    Kind("image", "pictures", picture_header.SUFFIXES),
    Kind("audio", "recordings", recordings.SUFFIXES),
)


def open_folder(root: Path, *, name: str, depth: int | None = None) -> tuple[Kind, ClassFolders]:
    """The examples of a folder, and their kind: the one of which more files lie in classes.

    Args:
      root: the folder.
      name: what the sentence of an error calls it: "`--support`".
      depth: folders above a file: 1 for root/class/file, 2 for root/group/class/file, None for
        whichever holds more.

    Raises:
      UserError: it is no folder, or holds no example; the sentence says what it holds.
    """
    if not root.is_dir():
        raise UserError(
            f"{name} must be a folder with one sub-folder of files a class: {str(root)!r} "
            f"{'is a file' if root.exists() else 'is not there'}. Correct the path (it is relative "
            "to the current folder)."
        )
    listing = list_files(root)
    found = [
        (kind, choose(listing, kind.suffixes, kind=kind.plural, depth=depth)) for kind in KINDS
    ]
    kind, folders = max(found, key=lambda pair: sum(map(len, pair[1].files.values())))
    if not folders.files:
        _, most = max(found, key=lambda pair: len(pair[1].misplaced))
        raise UserError(_nothing_found(root, name, listing.files, most, depth))
    return kind, folders


def formats(names: Iterable[str]) -> str:
    """As "40 png, 2 jpg, 1 without an ending": how many files end how, the most frequent first."""
    endings = Counter(suffix_of(name).lstrip(".") or "without an ending" for name in names)
    return ", ".join(f"{count} {ending}" for ending, count in endings.most_common())


def _nothing_found(
    root: Path, name: str, files: list[str], folders: ClassFolders, depth: int | None
) -> str:
    endings = ", ".join(sorted(ending for kind in KINDS for ending in kind.suffixes))
    rule = "group/class/file" if depth == 2 else "class/file"
    if folders.misplaced:
        example, reason = next(iter(folders.misplaced.items()))
        problem = f"{len(folders.misplaced)} lie elsewhere ({example!r}: {reason})"
    elif files:
        problem = f"it has none ({formats(files)})"
    else:
        unread = {**folders.ignored, **folders.unreadable}
        why = "; ".join(f"{path!r}: {reason}" for path, reason in list(unread.items())[:3])
        problem = f"nothing can be read{f' ({why})' if why else ''}"
    return (
        f"{name} must hold sub-folders of pictures or recordings ({endings}), as {rule}: of "
        f"{str(root)!r} {problem}. Put the files of each class into a folder of its own."
    )
