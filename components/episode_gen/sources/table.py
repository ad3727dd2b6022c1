"""A CSV, TSV or JSONL file with a column of texts and a column of class names."""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Source, Stored
from components.episode_gen.sources.tfds_features import GROUP_NAMES, LABEL_NAMES
from components.errors import UserError
from components.modalities.base import ExampleSpec

SEPARATORS = {".csv": ",", ".tsv": "\t", ".jsonl": None}
TEXT_NAMES = ("text", "sentence", "utterance", "question", "query")


class Row(NamedTuple):
    """One line of the file; `number` counts from 1, without the header."""

    number: int
    text: str
    label: str
    group: str | None


def open_source(data: DataOptions) -> Source:
    """The file `data.path`.

    Raises:
      UserError: it is not there, or not of a known kind.
    """
    path = Path(data.path or "").expanduser()
    if path.suffix not in SEPARATORS or not path.is_file():
        raise UserError(
            f"`data.path` must be an existing {', '.join(SEPARATORS)} file when `data.source` is "
            f"table: got {str(path)!r}."
        )
    return Table(path, data)


class Table:
    """Example ids are the file's name and the row: "tickets.csv:17"."""

    spec = ExampleSpec("text", "string", ())

    def __init__(self, path: Path, data: DataOptions) -> None:
        self.path, self.data = path, data

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Every row once.

        Raises:
          UserError: a column is missing, or a row has no text or no class.
        """
        for row in self._rows():
            yield CatalogueEntry(row.label, row.group, self._id(row))

    def parts(self) -> list[str]:
        return [self.path.name]

    def read(self, part: str) -> Iterator[Stored]:
        del part  # the only one
        for row in self._rows():
            yield Stored(self._id(row), self.spec.to_bytes(row.text))

    def fingerprint(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def _id(self, row: Row) -> str:
        return f"{self.path.name}:{row.number}"

    def _rows(self) -> Iterator[Row]:
        columns: tuple[str, str, str | None] | None = None
        for number, values in enumerate(self._values(), start=1):
            columns = columns or self._columns(list(values))
            text, label = (self._value(values, column, number) for column in columns[:2])
            group = None if columns[2] is None else self._value(values, columns[2], number)
            yield Row(number, text, label, group)

    def _columns(self, have: list[str]) -> tuple[str, str, str | None]:
        """The names of the columns of text, class and group (or None)."""
        data = self.data
        text = self._column("input_feature", data.input_feature, TEXT_NAMES, have)
        label = self._column("label_feature", data.label_feature, LABEL_NAMES, have)
        guess = any(name in have for name in GROUP_NAMES)
        if data.group_feature is None and data.split_by == "class" and not guess:
            return text, label, None
        return text, label, self._column("group_feature", data.group_feature, GROUP_NAMES, have)

    def _column(
        self, option: str, configured: str | None, guesses: Iterable[str], have: list[str]
    ) -> str:
        found = next((name for name in guesses if name in have), None)
        if configured in have or (configured is None and found):
            return configured or found or ""
        raise UserError(
            f"`data.{option}` must name a column of {self.path.name} ({', '.join(have)}): got "
            f"{'none, and none could be guessed' if configured is None else repr(configured)}."
        )

    def _value(self, values: dict[str, Any], column: str, number: int) -> str:
        value = values.get(column)
        text = "" if value is None else str(value).strip()
        if not text:
            raise UserError(
                f"`data.path`: every row of {self.path.name} must have a {column!r}: row {number} "
                "has none. Fill it in, or take the row out."
            )
        return text

    def _values(self) -> Iterator[dict[str, Any]]:
        """The rows as read, by column."""
        try:
            # utf-8-sig: what a spreadsheet writes may begin with a byte order mark.
            with open(self.path, newline="", encoding="utf-8-sig") as file:
                separator = SEPARATORS[self.path.suffix]
                if separator is None:
                    yield from (self._json_row(line, n) for n, line in enumerate(file, start=1))
                else:
                    yield from csv.DictReader(file, delimiter=separator, strict=True)
        except (UnicodeDecodeError, csv.Error) as error:
            raise UserError(
                f"`data.path` must be a {self.path.suffix} file in UTF-8: {self.path.name} cannot "
                f"be read ({error})."
            ) from None

    def _json_row(self, line: str, number: int) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise UserError(
                f"`data.path`: every line of {self.path.name} must be a JSON object: line {number} "
                f"is {line.strip()[:40]!r}."
            )
        return row
