"""How sure a score is, for a line of text."""

from collections.abc import Mapping
from typing import Any

METRICS = ("accuracy", "recall", "mean_squared_error")
"""The metric of each task type, as `metrics.json` and `summary.json` name it."""


def over_units(intervals: Mapping[str, Any], metric: str) -> str:
    """The half-widths over classes (or tasks) and groups, as far as they are known.

    `intervals` has them as `ci95_by_class` and `ci95_by_group`.
    """
    classes = "tasks" if metric == "mean_squared_error" else "classes"
    units = {classes: intervals.get("ci95_by_class"), "groups": intervals.get("ci95_by_group")}
    wide = [f", ± {width:.4f} over {name}" for name, width in units.items() if width is not None]
    return " over episodes" * bool(wide) + "".join(wide)
