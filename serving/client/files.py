"""Reads support sets and queries from folders and tables, for the command line."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from serving.client.episode import Example
from serving.errors import UserError

_TABLES = {".csv": ",", ".tsv": "\t", ".jsonl": ""}


def read_support(path: Path) -> dict[str, list[Example]]:
    """Reads the examples of each class; classes and files are sorted by name.

    Args:
      path: a folder with a sub-folder of files for each class, or a CSV, TSV or JSONL file with
        the columns `text` and `label`.

    Raises:
      UserError: `path` is neither, or a class has no examples.
    """
    if path.is_dir():
        support = {
            folder.name: _files(folder) for folder in sorted(path.iterdir()) if folder.is_dir()
        }
    elif path.suffix in _TABLES and path.is_file():
        support = {}
        for row in _rows(path, ("text", "label")):
            support.setdefault(row["label"], []).append(row["text"])
    else:
        raise UserError(
            "`--support` must be a folder with a sub-folder of files for each class, or a .csv, "
            f".tsv or .jsonl file with the columns text and label; {path} is neither."
        )
    empty = [name for name, examples in support.items() if not examples]
    if not support or empty:
        what = f"{path} has no classes" if not support else f"class {empty[0]} of {path} has none"
        raise UserError(f"`--support` must have at least one example of every class; {what}.")
    return support


def read_queries(items: tuple[str, ...], *, texts: bool) -> list[tuple[str, Example]]:
    """Reads the queries, each with a name for the printed table.

    Args:
      items: paths of files; for texts, the texts themselves or tables with a column `text`.
      texts: whether the support set holds texts.
    """
    if not texts:
        return [(item, Path(item)) for item in items]
    queries: list[tuple[str, Example]] = []
    for item in items:
        path = Path(item)
        if path.suffix in _TABLES and path.is_file():
            queries += [(row["text"], row["text"]) for row in _rows(path, ("text",))]
        else:
            queries.append((item, item))
    return queries


def _files(folder: Path) -> list[Example]:
    return [path for path in sorted(folder.iterdir()) if path.is_file() and path.name[0] != "."]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        rows: Iterable[dict[str, str]]
        if path.suffix == ".jsonl":
            rows = (_json_row(path, line) for line in file if line.strip())
        else:
            rows = csv.DictReader(file, delimiter=_TABLES[path.suffix])
        for row in rows:
            if not all(isinstance(row.get(column), str) for column in columns):
                raise UserError(
                    f"Every row of {path} must have the columns {' and '.join(columns)}; "
                    f"one has {', '.join(map(str, row))}."
                )
            yield row


def _json_row(path: Path, line: str) -> dict[str, str]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UserError(f"Every line of {path} must be a JSON object; {error}.") from error
    if not isinstance(row, dict):
        raise UserError(f"Every line of {path} must be a JSON object; one is {line[:40]!r}.")
    return row
