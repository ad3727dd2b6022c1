"""The results as a Markdown table."""

from typing import Any

from benchmarks import markdown
from benchmarks.own_data.prepare import DATA_SETS


def table(results: dict[str, Any]) -> str:
    """Formats one row for each data set."""
    titles = ["data", "task", "best script", "learner", "accuracy", "ahead by", "training"]
    rows = []
    for name, data_set in DATA_SETS.items():
        one = results["data_sets"].get(name)
        if one is None:
            continue
        gain, half_width = one["ahead"]
        beyond_chance = gain - half_width > 0
        cells = [
            data_set.title,
            f"{one['ways']}w{one['shots']}s",
            f"{one['baseline_accuracy'][0]:.3f} ({one['baseline'].replace('_', ' ')})",
            one["learner"],
            "{:.3f} ± {:.3f}".format(*one["accuracy"]),
            f"{gain:+.3f} ± {half_width:.3f}" + ("" if beyond_chance else ", not blessed"),
            f"{one['meta_steps']} steps, {one['training_seconds']} s",
        ]
        rows.append(cells)
    return markdown.table(titles, rows)
