"""Puts the tables into the pages that show them, between their markers.

    python -m benchmarks.readme

The tables are of the committed results and of the shipped configurations; a test checks that the
pages hold them.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import configurations
from benchmarks.domains.table import table as domains
from benchmarks.encoder_costs.table import table as encoder_costs
from benchmarks.encoders.table import table as encoders
from benchmarks.episode_gen.table import table as episode_gen
from benchmarks.glyph_learners.table import table as glyph_learners
from benchmarks.input_pipeline.table import table as input_pipeline
from benchmarks.learners.table import table as learners
from benchmarks.meta_step.split import table as meta_step_split
from benchmarks.meta_step.table import table as meta_step
from benchmarks.million_classes.table import table as million_classes
from benchmarks.natural_images.table import table as natural_images
from benchmarks.omniglot.table import error_table as omniglot_errors
from benchmarks.omniglot.table import table as omniglot
from benchmarks.own_data.table import table as own_data
from benchmarks.phrasebook.table import table as phrasebook
from benchmarks.reporting import RECORDED, ROOT, read_result
from benchmarks.serving import tables as serving
from benchmarks.sinusoid.table import table as sinusoid
from benchmarks.specialise.table import table as specialise
from serving import atomic

README = ROOT / "README.md"
PAGE = ROOT / "benchmarks" / "README.md"
DOMAINS = ROOT / "benchmarks" / "DOMAINS.md"
PHRASES = ROOT / "components" / "modalities" / "PHRASES.md"
DEPLOYMENT = ROOT / "serving" / "deploy" / "README.md"
CLASSES = ROOT / "benchmarks" / "million_classes" / "README.md"


class Table(NamedTuple):
    """A table in a page.

    Attributes:
      page: path of the page.
      name: name of the table, in its markers.
      make: makes the table's Markdown.
    """

    page: Path
    name: str
    make: Callable[[], str]

    @property
    def markers(self) -> tuple[str, str]:
        """Returns the lines before and after the table."""
        return f"<!-- table {self.name} -->", f"<!-- end of {self.name} -->"


def result_table(page: Path, name: str, markdown: Callable[[dict[str, Any]], str]) -> Table:
    """Makes the table of a committed result.

    Args:
      page: path of the page.
      name: name of the result file, without its ending.
      markdown: makes the table's Markdown of the file's content.
    """
    return Table(page, name, functools.partial(_read_and_make, name, markdown))


def _read_and_make(name: str, markdown: Callable[[dict[str, Any]], str]) -> str:
    result = read_result(name, RECORDED)
    table = markdown(result)
    return table + _commits_not_in(table, commits(result))


def commits(result: Any) -> set[str]:
    """Returns the commits that a result, or any part of it, was measured at."""
    if isinstance(result, list):
        return set().union(*map(commits, result))
    if not isinstance(result, dict):
        return set()
    own = {result["commit"]} if "commit" in result else set()
    return own.union(*map(commits, result.values()))


def _commits_not_in(table: str, measured: set[str]) -> str:
    """A line of the commits that the table itself does not name; none if it names all."""
    missing = sorted(commit for commit in measured if commit not in table)
    return f"\nMeasured at commit {', '.join(missing)}.\n" if missing else ""


TABLES = (
    Table(README, "configurations", configurations.table),
    result_table(README, "glyph_learners", glyph_learners),
    result_table(PAGE, "omniglot", omniglot),
    result_table(PAGE, "omniglot_errors", omniglot_errors),
    result_table(PAGE, "meta_step", meta_step),
    result_table(PAGE, "meta_step_split", meta_step_split),
    result_table(PAGE, "own_data", own_data),
    result_table(PAGE, "natural_images", natural_images),
    result_table(PAGE, "encoders", encoders),
    result_table(PAGE, "learners", learners),
    result_table(PAGE, "encoder_costs", encoder_costs),
    result_table(PAGE, "episode_gen", episode_gen),
    result_table(PAGE, "input_pipeline", input_pipeline),
    result_table(PAGE, "sinusoid", sinusoid),
    result_table(PAGE, "specialise", specialise),
    *(
        result_table(DEPLOYMENT if name == "serving_rest" else PAGE, name, function)
        for name, function in serving.TABLES.items()
        if (RECORDED / f"{name}.json").exists()
    ),
    result_table(DOMAINS, "domains", domains),
    result_table(PHRASES, "phrasebook", phrasebook),
    result_table(CLASSES, "million_classes", million_classes),
)


def main() -> None:
    """Rewrites every table of every page."""
    for table in TABLES:
        before, _, after = parts(table.page.read_text(), table.markers)
        text = before + table.make() + after
        atomic.write_text(table.page, text)


def parts(text: str, markers: tuple[str, str]) -> tuple[str, str, str]:
    """Splits a page: before the table with its marker, the table, after it with its marker."""
    first, last = markers
    before, opening, rest = text.partition(first + "\n")
    between, closing, after = rest.partition(last)
    if not (opening and closing):
        raise SystemExit(f"The page must have the lines {first!r} and {last!r}.")
    return before + opening, between, closing + after


if __name__ == "__main__":
    main()
