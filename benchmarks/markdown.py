"""Markdown tables."""

from collections.abc import Iterable, Sequence


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Formats a table.

    Args:
      titles: title of each column.
      rows: cells of each row, as many as there are titles.

    Returns:
      Markdown that ends with a line break.
    """
    lines = [_line(titles), "|" + "---|" * len(titles), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
