"""The results as a Markdown table."""

from typing import Any

from benchmarks.glyph_learners.table import LEARNERS

MARKERS = ("<!-- cost table -->", "<!-- end of cost table -->")
"""The table stands between these lines in the README."""


def markdown(results: dict[str, Any]) -> str:
    """One row a learner."""
    lines = [
        "| learner | compile | episodes/s in meta-training | adaptation, one episode "
        "| each of a stack | floor |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in results["learners"].items():
        cells = [
            LEARNERS[name],
            f"{one['compile_seconds']:.0f} s",
            f"{one['episodes_per_second']:.0f}",
            *(f"{one[key]:.2f} ms" for key in ("adapt_ms", "adapt_ms_stacked", "adapt_floor_ms")),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
