"""The results as a Markdown table."""

from typing import Any

from benchmarks import markdown
from benchmarks.glyph_learners.table import LEARNERS


def table(results: dict[str, Any]) -> str:
    """Formats one row for each learner."""
    titles = [
        "learner",
        "compilation",
        "episodes/s in meta-training",
        "adaptation, one episode",
        "one of a stack of eight",
        "floor",
    ]
    rows = []
    for name, one in results["learners"].items():
        cells = [
            LEARNERS[name],
            f"{one['compile_seconds']:.0f} s",
            f"{one['episodes_per_second']:.0f}",
            *(f"{one[key]:.2f} ms" for key in ("adapt_ms", "adapt_ms_stacked", "adapt_floor_ms")),
        ]
        rows.append(cells)
    return markdown.table(titles, rows)
