"""The results as a Markdown table."""

from typing import Any

from benchmarks import markdown


def table(results: dict[str, Any]) -> str:
    """Formats one row for each backbone."""
    titles = ["examples", "backbone", "model", "adaptation, processor time", "one query"]
    rows = [
        [
            one["modality"],
            f"`{name}`",
            f"{one['megabytes']:.1f} MB",
            f"{one['adapt_ms']:.1f} ms",
            f"{one['predict_ms']:.1f} ms",
        ]
        for name, one in results["backbones"].items()
    ]
    return markdown.table(titles, rows)
