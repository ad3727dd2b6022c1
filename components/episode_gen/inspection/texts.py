"""A table of texts: a CSV, TSV or JSONL file with a column of texts and one of classes."""

from collections import Counter
from pathlib import Path
from typing import Any

from components.episode_gen.inspection.base import Inspection, duplicates, spread
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.table import TEXT_NAMES, Table
from components.episode_gen.sources.table_rows import is_table, read_rows
from components.episode_gen.sources.tfds_features import GROUP_NAMES, LABEL_NAMES

FEWEST_CLASSES = 6
"""A column of fewer values holds no classes to learn from."""


def matches(path: Path) -> bool:
    """Whether it is such a file."""
    return is_table(path)


def inspect(path: Path) -> Inspection:
    """Reads every row as the pipeline will.

    Raises:
      UserError: it cannot be read, or its columns of texts and of classes cannot be told.
    """
    section: dict[str, Any] = {"source": "table", "path": str(path)} | _columns(path)
    table = Table(path, DataOptions(**section, unreadable="skip"))
    rows = list(table.rows())
    groups = {row.group for row in rows if row.group is not None}
    lengths = [len(row.text) for row in rows]
    return Inspection(
        kind="a table of texts",
        modality="text",
        data=section | ({"unreadable": "skip"} if table.skipped else {}),
        class_sizes=dict(Counter(row.label for row in rows)),
        facts={
            "text column": section.get("input_feature", "none"),
            "class column": section.get("label_feature", "none"),
            "lengths": f"{spread(lengths)} characters",
        }
        | ({"groups": str(len(groups))} if groups else {}),
        unreadable=table.skipped,
        duplicates=duplicates(
            {row.example_id: row.text.lower() for row in rows},
            {row.example_id: row.label for row in rows},
        ),
    )


def _columns(path: Path) -> dict[str, str]:
    """The options that name the columns, by their names or, failing that, by what they hold.

    Classes are what is shortest of all that repeats; texts are what is longest of the rest.
    """
    rows = list(read_rows(path))
    have = [name for name in (rows[0] if rows else {}) if name]
    values = {name: [str(row.get(name) or "") for row in rows] for name in have}
    repeating = [name for name in have if FEWEST_CLASSES <= len(set(values[name])) <= len(rows) / 2]
    label = _known(LABEL_NAMES, have) or min(
        (name for name in repeating if name not in (*TEXT_NAMES, *GROUP_NAMES)),
        key=lambda name: sum(map(len, values[name])),
        default=None,
    )
    text = _known(TEXT_NAMES, have) or max(
        (name for name in have if name not in (label, *GROUP_NAMES)),
        key=lambda name: sum(map(len, values[name])),
        default=None,
    )
    found = {"input_feature": text, "label_feature": label}
    return {option: name for option, name in found.items() if name is not None}


def _known(names: tuple[str, ...], have: list[str]) -> str | None:
    return next((name for name in names if name in have), None)
