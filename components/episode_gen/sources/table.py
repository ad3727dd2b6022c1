"""A CSV, TSV or JSONL file with a column of texts and a column of class names."""

import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Source, Stored
from components.episode_gen.sources.table_rows import SEPARATORS, is_table, read_rows
from components.episode_gen.sources.tfds_features import GROUP_NAMES, LABEL_NAMES
from components.modalities.base import ExampleSpec
from serving.errors import UserError

TEXT_NAMES = ("text", "sentence", "utterance", "question", "query")


class Columns(NamedTuple):
    """The names of the columns that hold the text, its class and its group (or None)."""

    text: str
    label: str
    group: str | None


class Row(NamedTuple):
    """One usable row of the file."""

    example_id: str
    text: str
    label: str
    group: str | None


class Unusable(NamedTuple):
    """One row that lacks a value, and the reason as half a sentence."""

    example_id: str
    reason: str


def open_source(data: DataOptions) -> Source:
    """The file `data.path`.

    Raises:
      UserError: it is not there, or not of a known kind.
    """
    path = Path(data.path or "").expanduser()
    if not is_table(path):
        raise UserError(
            f"`data.path` must be an existing {', '.join(SEPARATORS)} file when `data.source` is "
            f"table: got {str(path)!r}."
        )
    return Table(path, data)


class Table:
    """Example ids are the file's name and the row: "tickets.csv:17".

    Rows count from 1, without the header.
    """

    spec = ExampleSpec("text", "string", ())

    def __init__(self, path: Path, data: DataOptions) -> None:
        self.path, self.data = path, data

    @functools.cached_property
    def skipped(self) -> dict[str, str]:
        """What `data.unreadable: skip` leaves out, and why: example id -> reason."""
        if self.data.unreadable != "skip":
            return {}
        return dict(row for row in self._all_rows() if isinstance(row, Unusable))

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Every row once.

        Raises:
          UserError: there is none, a column is missing, or a row has no text or no class.
        """
        row = None
        for row in self.rows():
            yield CatalogueEntry(row.label, row.group, row.example_id)
        if row is None:
            raise UserError(
                f"`data.path` must hold rows with a text and a class: {self.path.name} holds none."
            )

    def parts(self) -> list[str]:
        return [self.path.name]

    def read(self, part: str) -> Iterator[Stored]:
        del part  # the only one
        for row in self.rows():
            yield Stored(row.example_id, self.spec.to_bytes(row.text))

    def fingerprint(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def rows(self) -> Iterator[Row]:
        """The usable rows.

        Raises:
          UserError: as `catalogue`.
        """
        for row in self._all_rows():
            if isinstance(row, Row):
                yield row
            elif self.data.unreadable != "skip":
                raise UserError(
                    f"`data.path`: every row of {self.path.name} must have a text and a class: "
                    f"{row.reason}. Fill it in, take the row out, or set `data.unreadable` to skip."
                )

    def _all_rows(self) -> Iterator[Row | Unusable]:
        columns: Columns | None = None
        for number, values in enumerate(read_rows(self.path), start=1):
            columns = columns or self._columns(list(values))
            example_id = f"{self.path.name}:{number}"
            wanted = [column for column in columns if column is not None]
            missing = [column for column in wanted if not _text(values.get(column))]
            if missing:
                yield Unusable(example_id, f"row {number} has no {missing[0]!r}")
                continue
            text, label, *group = (_text(values[column]) for column in wanted)
            if not any(character.isalnum() for character in text):
                # The network sees words alone; a served model refuses such a text too.
                yield Unusable(example_id, f"row {number} has no letter or digit in {wanted[0]!r}")
                continue
            yield Row(example_id, text, label, group[0] if group else None)

    def _columns(self, have: list[str]) -> Columns:
        data = self.data
        text = self._column("input_feature", data.input_feature, TEXT_NAMES, have)
        label = self._column("label_feature", data.label_feature, LABEL_NAMES, have)
        guess = any(name in have for name in GROUP_NAMES)
        if data.group_feature is None and data.split_by == "class" and not guess:
            return Columns(text, label, None)
        group = self._column("group_feature", data.group_feature, GROUP_NAMES, have)
        return Columns(text, label, group)

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


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
