"""The rows of a CSV, TSV or JSONL file, as they stand there."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serving.errors import UserError

SEPARATORS = {".csv": ",", ".tsv": "\t", ".jsonl": None}


def is_table(path: Path) -> bool:
    """Whether a path names an existing file of such a kind."""
    return path.suffix.lower() in SEPARATORS and path.is_file()


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows by column; empty lines are none.

    Raises:
      UserError: it is no such file in UTF-8, or a line of a JSONL file is no object.
    """
    separator = SEPARATORS[path.suffix.lower()]
    try:
        # utf-8-sig: what a spreadsheet writes may begin with a byte order mark.
        with open(path, newline="", encoding="utf-8-sig") as file:
            if separator is not None:
                yield from csv.DictReader(file, delimiter=separator, strict=True)
                return
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _json_row(path, line, number)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"`data.path` must be a {path.suffix} file in UTF-8: {path.name} cannot be read "
            f"({error})."
        ) from None


def _json_row(path: Path, line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise UserError(
            f"`data.path`: every line of {path.name} must be a JSON object: line {number} is "
            f"{line.strip()[:40]!r}."
        )
    return row
