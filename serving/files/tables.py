"""The rows of CSV, TSV, JSONL and JSON files, as they stand there.

A row that is not as wide as the header, or a line that is no object, is a row with a problem: it is
named, never bent into shape.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from serving.errors import UserError
from serving.files.decoding import decode_text
from serving.files.json_rows import read_json
from serving.files.rows import Row
from serving.files.unreadable import UnreadableFile, read_content

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json")  # endings of their names, in lower case
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""What may part the values of a row -> what it is called."""


_NAMED_DELIMITER = re.compile(f"sep=([{re.escape(''.join(DELIMITERS))}])(?=[\r\n])")
"""The line before the header by which spreadsheet programs name the delimiter."""
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SAMPLE = 1_000
"""Rows by which the delimiter is chosen."""


class Table(NamedTuple):
    """A table."""

    name: str  # of the file, without its folder
    columns: list[str]  # names, in the order of the file
    rows: list[Row]  # all of them, those with a problem too
    delimiter: str  # what parts values, by its name in `DELIMITERS`; "" for JSON
    encoding: str  # the text encoding, as "utf-8"

    def facts(self) -> dict[str, str]:
        """What there is to tell of the file: name -> value."""
        delimiter = {"delimiter": self.delimiter} if self.delimiter else {}
        return {"columns": ", ".join(self.columns), **delimiter, "encoding": self.encoding}


def is_table(path: Path) -> bool:
    """Whether a path names an existing file of such a kind; its ending may be in any case."""
    try:
        return path.suffix.lower() in SUFFIXES and path.is_file()
    except (OSError, ValueError):
        return False


def read_table(path: Path, *, encoding: str | None = None) -> Table:
    """Reads a table; its first line, or the keys of its objects, name the columns.

    `encoding`: None for UTF-8, or UTF-16 where the file begins with its mark.

    Raises:
      UserError: it cannot be opened, is not in that encoding, has no rows or columns, or a quote
        is wrong. The sentence names the file and the line.
    """
    try:
        text, encoding = decode_text(read_content(path), encoding)
        if path.suffix.lower() in (".jsonl", ".json"):
            columns, rows = read_json(text, whole=path.suffix.lower() == ".json")
            delimiter = ""
        else:
            named = _NAMED_DELIMITER.match(text)
            text = text[named.end() :] if named else text
            usual = "\t" if path.suffix.lower() == ".tsv" else ","
            delimiter = named[1] if named else _delimiter(text, usual)
            columns, rows = _read_quoted_or_plain(text, delimiter)
    except UnreadableFile as reason:
        raise UserError(
            f"a table must be a file that can be read: {str(path)!r} cannot: {reason}."
        ) from None
    twice = {column for column in columns if column and columns.count(column) > 1}
    if twice:
        raise UserError(
            f"the columns of a table must have different names: {str(path)!r} has {min(twice)!r} "
            "twice. Rename one."
        )
    return Table(path.name, columns, rows, DELIMITERS.get(delimiter, ""), encoding)


def _read_quoted_or_plain(text: str, delimiter: str) -> tuple[list[str], list[Row]]:
    """The header and the rows; a quote may be an ordinary character of a file with tabs.

    The media type text/tab-separated-values knows no quoting. A file is read so where its quotes
    make no sense as such, and every row is then as wide as the header.
    """
    try:
        return _read_csv(text, delimiter)
    except UnreadableFile:
        if delimiter != "\t":
            raise
        columns, rows = _read_csv(text, delimiter, quotes=False)
        if any(row.problem for row in rows):
            raise
        return columns, rows


def _read_csv(text: str, delimiter: str, quotes: bool = True) -> tuple[list[str], list[Row]]:
    """The header and the rows."""
    lines = _records(text, delimiter, quotes)
    first = next(lines, None)
    if first is None:
        raise UnreadableFile("it has no rows")
    columns, rows = [column.strip() for column in first[1]], []
    if not any(columns):
        raise UnreadableFile(f"line {first[0]} must name its columns, and is blank")
    for number, (line, values) in enumerate(lines, start=1):
        problem = None
        if len(values) != len(columns):
            problem = (
                f"line {line} has {len(values)} values, and the header has {len(columns)} "
                f"(a {DELIMITERS[delimiter]} or a quote inside a value must be in quotes)"
            )
        rows.append(Row(number, line, dict(zip(columns, values)), problem))
    return columns, rows


def _records(text: str, delimiter: str, quotes: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Every record that is no empty line, with the line that it begins in, from 1."""
    lines = (line[0] for line in _LINES.finditer(text))
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        strict=True,
        skipinitialspace=True,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
    )
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(f"line {line}: {_quote_problem(error, delimiter)}") from None
        if values:
            yield line, values


def _quote_problem(error: csv.Error, delimiter: str) -> str:
    if "unexpected end" in str(error):
        return "a quote opens there and does not close"
    if "field larger" in str(error):
        return "a value of more than 131072 characters begins there, as after a quote left open"
    if "expected after" in str(error):
        return f'after a closing quote there must be a {DELIMITERS[delimiter]} (double "" inside)'
    return str(error)


def _delimiter(text: str, usual: str) -> str:
    """What parts the values: the usual one if the header has it, else the one that fits best.

    One that parts every row into as many values as the header comes first.
    """
    widths = {}
    for delimiter in (usual, *(other for other in DELIMITERS if other != usual)):
        try:
            rows = itertools.islice(_records(text, delimiter), _SAMPLE)
            widths[delimiter] = [len(values) for _, values in rows]
        except UnreadableFile:
            widths[delimiter] = [text.lstrip("\r\n").splitlines()[0].count(delimiter) + 1]
    for delimiter, counts in widths.items():
        if counts and counts[0] > 1 and len(counts) > 1 and len(set(counts)) == 1:
            return delimiter
    headers = {delimiter: counts[0] if counts else 1 for delimiter, counts in widths.items()}
    return usual if headers[usual] > 1 else max(headers, key=lambda one: headers[one])
