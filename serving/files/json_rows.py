"""The rows of JSONL files, and of JSON files that hold a list of objects."""

import json
from typing import Any

from serving.files.rows import Row
from serving.files.unreadable import UnreadableFile, printable


def read_json(text: str, *, whole: bool) -> tuple[list[str], list[Row]]:
    """The keys of all objects, in the order in which they appear first, and the rows.

    `whole`: the text is one list of objects; else its lines are read as JSONL.

    Raises:
      UnreadableFile: there is no object.
    """
    rows = _list_rows(text) if whole else None
    if rows is None:
        rows = _line_rows(text)
    columns = list(dict.fromkeys(key for row in rows for key in row.values))
    if not columns:
        form = "a list of objects, as [{...}, {...}]" if whole else "lines with an object each"
        first = f"; {rows[0].problem or 'no object holds a text or a number'}" if rows else ""
        raise UnreadableFile(f"it must hold {form}{first}")
    return columns, rows


def _list_rows(text: str) -> list[Row] | None:
    """The rows of one list, or None where the text is something else."""
    try:
        values = _parse(text)
    except ValueError as error:
        if text.lstrip().startswith("["):
            raise UnreadableFile(f"it is no JSON: {error}") from None
        return None
    if not isinstance(values, list):
        if isinstance(values, dict) and "\n" not in text.strip():
            return None  # JSONL of one line
        raise UnreadableFile(
            f"it must hold a list of objects, as [{{...}}, {{...}}], and holds {_kind(values)}"
        )
    return [_row(number, number, value, "entry") for number, value in enumerate(values, start=1)]


def _line_rows(text: str) -> list[Row]:
    rows: list[Row] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line, content in enumerate(lines, start=1):
        if not content.strip():
            continue
        number = len(rows) + 1
        try:
            rows.append(_row(number, line, _parse(content), "line"))
        except ValueError:
            shown = content.strip()[:40]
            rows.append(Row(number, line, {}, f"line {line} must be a JSON object: {shown!r}"))
    return rows


def _row(number: int, line: int, value: Any, what: str) -> Row:
    if not isinstance(value, dict):
        return Row(number, line, {}, f"{what} {line} must be a JSON object, and is {_kind(value)}")
    # A list or an object is no text: left out, so that its row has no value in that column.
    texts = {key: item for key, item in value.items() if not isinstance(item, dict | list)}
    return Row(number, line, {printable(key): _text(item) for key, item in texts.items()})


def _text(value: Any) -> str:
    """As it stands in the file: numbers are kept as texts by `_parse`."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parse(text: str) -> Any:
    """Raises ValueError for what is no JSON."""
    try:
        # A NaN is how programs write a value that is missing.
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=lambda name: None)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _kind(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return "null" if value is None else "a text or a number"
