"""The results as a Markdown table."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import markdown
from benchmarks.own_data.prepare import DATA_SETS


def table(results: dict[str, Any]) -> str:
    """Formats one row for each data set."""
    titles = ["data", "task", "`init` chose", "product", "best script", "difference", "verdict"]
    titles += ["training", "commit"]
    rows = []
    for name, data_set in DATA_SETS.items():
        one = results["data_sets"].get(name)
        if one is None:
            continue
        script, of_script = one["baseline"].replace("_", " "), one["baseline_accuracy"][0]
        cells = [
            data_set.title,
            f"{one['ways']}w{one['shots']}s",
            choice(one["learner"]),
            "{:.3f} ± {:.3f}".format(*one["accuracy"]),
            f"{of_script:.3f} ({script})",
            "{:+.3f} ± {:.3f}".format(*one["ahead"]),
            verdict(one["ahead"], one["ahead_of_each"]),
            f"{one['meta_steps']} steps, {one['training_seconds']} s",
            one["commit"],
        ]
        rows.append(cells)
    return markdown.table(titles, rows)


def choice(learner: Mapping[str, Any]) -> str:
    """The section `learner` in a few words."""
    backbone = learner["backbone"]
    more = " + descriptors" if backbone.get("descriptors", "none") != "none" else ""
    return f"{learner['name']}, {backbone['name']}{more}"


def verdict(ahead: Sequence[float], ahead_of_each: bool) -> str:
    """What the gate does, given the mean and half-width of the difference to the best script."""
    if ahead_of_each:
        return "ahead"
    mean, half_width = ahead
    return f"{'behind' if mean + half_width < 0 else 'level'}: not blessed"
