"""Puts the tables of result files into the README, between their markers.

    python -m benchmarks.readme

A test checks that the README holds what the files say.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.glyph_learners import table as glyph_learners
from benchmarks.learners import table as learners
from benchmarks.meta_step import table as meta_step
from benchmarks.omniglot import table as omniglot
from benchmarks.reporting import ROOT, read_result
from serving import atomic

README = ROOT / "README.md"


class Table(NamedTuple):
    """A result file, by name; its Markdown; the lines that stand around it in the README."""

    name: str
    markdown: Callable[[dict[str, Any]], str]
    markers: tuple[str, str]


TABLES = (
    Table("glyph_learners", glyph_learners.markdown, glyph_learners.MARKERS),
    Table("omniglot", omniglot.markdown, omniglot.MARKERS),
    Table("meta_step", meta_step.markdown, meta_step.MARKERS),
    Table("learners", learners.markdown, learners.MARKERS),
)


def main() -> None:
    text = README.read_text()
    for table in TABLES:
        before, _, after = parts(text, table.markers)
        text = before + table.markdown(read_result(table.name)) + after
    atomic.write_text(README, text)


def parts(text: str, markers: tuple[str, str]) -> tuple[str, str, str]:
    """What stands before (with its marker), between, and after (with its marker)."""
    first, last = markers
    before, found, rest = text.partition(first + "\n")
    between, ended, after = rest.partition(last)
    if not (found and ended):
        raise SystemExit(f"The README must have the lines {first!r} and {last!r}.")
    return before + found, between, ended + after


if __name__ == "__main__":
    main()
