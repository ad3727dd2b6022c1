"""A table of texts: a CSV, TSV, JSONL or JSON file with a column of texts and one of classes."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.episode_gen.inspection.base import Inspection, duplicates, spread, without_copies
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.table import Table
from serving.files.columns import TextExample


def inspect(path: Path, split_by: str | None, columns: Mapping[str, str | None]) -> Inspection:
    """Reads every row as the pipeline will; the arguments are those of `inspection.inspect`.

    Raises:
      UserError: it cannot be read, or its columns of texts and of classes cannot be told.
    """
    section: dict[str, Any] = {"source": "table", "path": str(path), "unreadable": "skip"}
    by_group = split_by in ("group", "given")
    section |= {"split_by": split_by} if by_group else {}
    options: dict[str, Any] = {**section, **columns}
    table = Table(path, DataOptions(**options))
    found = table.columns
    every = {table.id_of(row): row for row in table.rows()}
    kept = without_copies(every, table.copies, lambda name: every[name].label)
    rows = [every[name] for name in kept]
    groups = {row.group for row in rows if row.group is not None}
    names = {
        "input_feature": found.text,
        "label_feature": found.label,
        "group_feature": found.group,
        "encoding": columns.get("encoding"),
    }
    lengths = [len(row.text) for row in rows]

    def class_of(row: TextExample) -> str:
        return f"{row.group}/{row.label}" if by_group else row.label

    if not table.skipped:
        del section["unreadable"]
    return Inspection(
        kind="a table of texts",
        modality="text",
        data=section | {option: name for option, name in names.items() if name is not None},
        class_sizes=dict(
            Counter(f"{row.group}/{row.label}" if by_group else row.label for row in rows)
        ),
        facts={
            **table.table.facts(),
            "text column": found.text,
            "class column": str(found.label),
            "lengths": f"{spread(lengths)} characters",
        }
        | ({"group column": str(found.group), "groups": str(len(groups))} if groups else {}),
        unreadable=table.skipped,
        duplicates=duplicates(
            {name: row.text.lower() for name, row in every.items()},
            {name: row.label for name, row in every.items()},
        ),
        copies=table.copies,
    )
