"""A CSV, TSV, JSONL or JSON file with a column of texts and a column of class names."""

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from components.episode_gen import targets
from components.episode_gen.copies import find_copies
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Source, Stored
from components.modalities.base import ExampleSpec
from serving.errors import UserError
from serving.files import tables as files
from serving.files.columns import (
    Columns,
    Options,
    TextExample,
    choose_columns,
    examples,
    missing_column,
)

OPTIONS = Options(
    "`data.input_feature`",
    "`data.label_feature`",
    "`data.group_feature`",
    " `fewshot init` takes `--text-column`, `--label-column` and `--group-column`.",
)


def open_source(data: DataOptions) -> Source:
    """The file `data.path`.

    Raises:
      UserError: it is not there, or not of a known kind.
    """
    path = Path(data.path or "").expanduser()
    if not files.is_table(path):
        raise UserError(
            f"`data.path` must be an existing {', '.join(files.SUFFIXES)} file when `data.source` "
            f"is table: got {str(path)!r}."
        )
    return Table(path, data)


class Table:
    """A table; an example's id is the file's name and the row, from 1, as in "tickets.csv:17"."""

    def __init__(self, path: Path, data: DataOptions) -> None:
        self.path, self.data = path, data
        self.spec = ExampleSpec("text", "string", (), phrases=data.phrase_feature is not None)

    @functools.cached_property
    def skipped(self) -> dict[str, str]:
        """What `data.unreadable: skip` leaves out, and why: example id -> reason."""
        if self.data.unreadable != "skip":
            return {}
        _, left_out = self._examples
        return {self._id(number): reason for number, reason in left_out.items()}

    @functools.cached_property
    def copies(self) -> dict[str, str]:
        """Rows of a text that an earlier one has: example id -> id of that one.

        Of phrases, rows of a class with the phrase of an earlier one: the support set would hold
        the answer.
        """
        if self.spec.phrases:
            first: dict[tuple[str, str | None], str] = {}
            rows = [(self.id_of(row), (row.label, row.phrase)) for row in self._examples[0]]
            equal = {name: first.setdefault(key, name) for name, key in rows}
            return {name: one for name, one in equal.items() if name != one}
        if self.data.copies == "keep":
            return {}
        texts = {self.id_of(row): row.text for row in self._examples[0]}
        return find_copies(
            texts, lambda name: hash(texts[name].lower()), lambda name: texts[name].lower()
        )

    def catalogue(self) -> Iterator[CatalogueEntry]:
        row = None
        for row in self.rows():
            yield CatalogueEntry(row.label, row.group, self.id_of(row))
        if row is None:
            raise UserError(
                f"`data.path` must hold rows with a text and a class: {self.path.name} holds none."
            )

    def parts(self) -> list[str]:
        return [self.path.name]

    def read(self, part: str) -> Iterator[Stored]:
        del part  # the only one
        for row in self.rows():
            if self.spec.phrases:
                yield Stored(self.id_of(row), targets.join(row.text, row.phrase, self.spec))
            else:
                yield Stored(self.id_of(row), self.spec.to_bytes(row.text))

    def fingerprint(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    def rows(self) -> list[TextExample]:
        """The usable rows."""
        usable, left_out = self._examples
        if left_out and self.data.unreadable != "skip":
            raise UserError(
                f"`data.path`: every row of {self.path.name} must have a text and a class: "
                f"{next(iter(left_out.values()))}. Fill it in, take the row out, or set "
                "`data.unreadable` to skip."
            )
        return usable

    @functools.cached_property
    def table(self) -> files.Table:
        """The file."""
        return files.read_table(self.path, encoding=self.data.encoding)

    @functools.cached_property
    def columns(self) -> Columns:
        """The columns that the options name, or that are guessed."""
        data = self.data
        phrase = data.phrase_feature
        if phrase is not None and phrase not in self.table.columns:
            raise UserError(
                f"`data.phrase_feature` must name a column of {self.path.name} "
                f"({', '.join(self.table.columns)}): got {phrase!r}."
            )
        columns = choose_columns(
            self.table,
            text=data.input_feature,
            label=data.label_feature,
            group=data.group_feature,
            options=OPTIONS,
        )
        if columns.group is None and data.split_by != "class":
            raise missing_column(self.table, OPTIONS, "group")
        return columns._replace(phrase=phrase)

    @functools.cached_property
    def _examples(self) -> tuple[list[TextExample], dict[int, str]]:
        found = examples(self.table, self.columns)
        self.table.rows.clear()  # a large file's need not be kept twice
        return found

    def id_of(self, row: TextExample) -> str:
        """The example id of a row."""
        return self._id(row.number)

    def _id(self, number: int) -> str:
        return f"{self.path.name}:{number}"
