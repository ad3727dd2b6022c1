"""The result as a Markdown table."""

from typing import Any

from benchmarks import markdown


def table(result: dict[str, Any]) -> str:
    """Formats the mean squared error of each network before and after the inner steps."""
    rows = []
    for name, key in result["shown"].items():
        first, *_, last = result["error_per_step"][key]
        cells = [f"{mean:.2f} ± {half_width:.2f}" for mean, half_width in (first, last)]
        rows.append(
            [name if name == key else f"{name}, inner learning rate {key.split()[1]}", *cells]
        )
    return markdown.table(["network", "before adaptation", "after 10 steps"], rows)
