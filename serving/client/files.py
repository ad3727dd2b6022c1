"""Support sets and queries from folders, files and tables, for the command line."""

import re
from pathlib import Path
from typing import NamedTuple

from serving.client.episode import Example
from serving.errors import UserError
from serving.files import tables
from serving.files.class_folders import Kind, open_folder
from serving.files.columns import choose_columns, choose_text, examples
from serving.files.folders import EMPTY, ClassFolders, choose, list_files
from serving.files.recordings import Wanted, decode
from serving.files.texts import unusable
from serving.files.unreadable import UnreadableFile, read_content
from serving.files.wav import to_wav

_FILE_NAME = re.compile(r"\S+\.(csv|tsv|jsonl?|txt|xlsx?|png|jpe?g|gif|bmp|wav|flac|mp3)", re.I)


class SupportFiles(NamedTuple):
    """A support set from files."""

    examples: dict[str, list[Example]]  # by class; classes of files in the order of their names
    kind: Kind | None  # the kind of files; None for texts
    ignored: dict[str, str]  # files that nobody would take for an example: name -> reason


def read_support(
    path: Path,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    encoding: str | None = None,
) -> SupportFiles:
    """Reads a support set as the pipeline reads its data: a folder of classes, or a table of texts.

    Columns that are None are guessed; `encoding` is that of a table, None for UTF-8 or as its mark
    says. UserError: `path` is neither, has no examples, or one of them cannot be read.
    """
    if path.is_dir():
        return _read_folder(path)
    if not tables.is_table(path):
        problem = "is neither" if path.exists() else "is not there"
        raise UserError(
            "`--support` must be a folder with a sub-folder of files for each class, or a table "
            f"of texts ({', '.join(tables.SUFFIXES)}); {str(path)!r} {problem}."
        )
    table = tables.read_table(path, encoding=encoding)
    columns = choose_columns(table, text=text_column, label=label_column, support=True)
    rows, left_out = examples(table, columns)
    for reason in left_out.values():
        raise UserError(
            f"`--support`: every row of {path.name} must have a text and a class: {reason}. "
            "Fill it in or take the row out."
        )
    if not rows:
        raise UserError(f"`--support` must hold rows with a text and a class: {path} holds none.")
    support: dict[str, list[Example]] = {}
    for row in rows:
        support.setdefault(row.label, []).append(row.text)
    return SupportFiles(support, None, {})


def read_queries(
    items: tuple[str, ...],
    kind: Kind | None,
    *,
    text_column: str | None = None,
    encoding: str | None = None,
    ignored: dict[str, str] | None = None,
) -> list[tuple[str, Example]]:
    """Reads the queries, with a name for each to show; `kind` is the support set's, None for texts.

    The items are files and folders of them, or texts and tables of them, whose column and encoding
    are as for `read_support`. `ignored` gets the files that are no query: name -> reason.
    UserError: an item is not there, or holds no query.
    """
    if kind is None:
        return [query for item in items for query in _text_queries(item, text_column, encoding)]
    queries: list[tuple[str, Example]] = []
    for item in items:
        path = Path(item)
        if path.is_dir():
            queries += _folder_queries(path, kind, {} if ignored is None else ignored)
        elif path.exists():
            queries.append((item, path))
        else:
            raise UserError(f"QUERIES must be files or folders of {kind.plural}: {item!r} is not.")
    return queries


def convert_recordings(
    support: dict[str, list[Example]], queries: list[tuple[str, Example]], rate: int
) -> tuple[dict[str, list[Example]], list[tuple[str, Example]]]:
    """Converts files of recordings to 16-bit mono WAV at one rate, in memory.

    Raises:
      UserError: one cannot be read; the sentence names it.
    """
    wanted = Wanted(rate, resample=True, downmix=True)

    def convert(path: Path) -> bytes:
        try:
            return to_wav(decode(read_content(path), wanted), rate)
        except UnreadableFile as reason:
            raise UserError(
                f"A recording must be a file that can be read; {str(path)!r}: {reason}."
            ) from None

    return (
        {name: [convert(path) for path in paths] for name, paths in support.items()},
        [(name, convert(path)) for name, path in queries],
    )


def _read_folder(path: Path) -> SupportFiles:
    kind, folders = open_folder(path, name="`--support`")
    _refuse_unreadable("`--support`", path, folders)
    empty = [name for name, reason in folders.ignored.items() if reason == EMPTY]
    if empty:
        raise UserError(
            f"`--support` must have at least one example of every class; class {empty[0]!r} of "
            f"{str(path)!r} has none."
        )
    support: dict[str, list[Example]] = {
        folder: [path / folder / file for file in files] for folder, files in folders.files.items()
    }
    return SupportFiles(support, kind, folders.ignored)


def _folder_queries(path: Path, kind: Kind, ignored: dict[str, str]) -> list[tuple[str, Example]]:
    """The files of a folder: those that lie in it, and those in folders of it."""
    listing = list_files(path)
    names = [name for name in listing.files if Path(name).suffix.lower() in kind.suffixes]
    folders = choose(listing, kind.suffixes, kind=kind.plural)
    ignored |= {str(path / name): reason for name, reason in folders.ignored.items()}
    _refuse_unreadable("QUERIES", path, folders, loose=True)
    if not names:
        raise UserError(f"QUERIES must be files or folders of {kind.plural}: {path} holds none.")
    return [(str(path / name), path / name) for name in names]


def _refuse_unreadable(
    option: str, path: Path, folders: ClassFolders, *, loose: bool = False
) -> None:
    problems = folders.unreadable if loose else folders.misplaced | folders.unreadable
    for name, reason in problems.items():
        raise UserError(
            f"{option} must hold files that can be read: {str(path / name)!r} cannot ({reason}). "
            "Mend the file or take it out of the folder."
        )


def _text_queries(
    item: str, text_column: str | None, encoding: str | None
) -> list[tuple[str, Example]]:
    path = Path(item)
    if tables.is_table(path):
        table = tables.read_table(path, encoding=encoding)
        column = choose_text(table, text=text_column)
        queries: list[tuple[str, Example]] = []
        for row in table.rows:
            text = row.values.get(column, "").strip()
            problem = row.problem or unusable(text)
            if problem:
                raise UserError(
                    f"QUERIES: every row of {path.name} must have a text: row {row.number}: "
                    f"{problem}. Fill it in or take the row out."
                )
            queries.append((text, text))
        if not queries:
            raise UserError(f"QUERIES must be texts or tables of texts: {item!r} holds none.")
        return queries
    if _FILE_NAME.fullmatch(item):
        raise UserError(
            f"QUERIES must be texts, or tables of texts ({', '.join(tables.SUFFIXES)}): there is "
            f"no such table as {item!r}."
        )
    problem = unusable(item)
    if problem:
        raise UserError(f"QUERIES must be texts of words: of {item!r}, {problem}.")
    return [(item, item)]
