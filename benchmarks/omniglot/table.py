"""The results as a Markdown table and as learning curves."""

from pathlib import Path
from typing import Any

from serving import atomic

TASKS = ("5w1s", "5w5s", "20w1s", "20w5s")
MARKERS = ("<!-- omniglot table -->", "<!-- end of omniglot table -->")
"""The table stands between these lines in the README."""


def markdown(results: dict[str, Any]) -> str:
    """One row an entry, accuracies in per cent with the 95% interval.

    Args:
      results: the content of `benchmarks/results/omniglot.json`.
    """
    head = ["learner", "protocol", *TASKS, "meta-steps", "hours"]
    lines = [_row(head), _row(["---"] * len(head))]
    for entry in results.get("entries", {}).values():
        hours = f"{entry['seconds'] / 3600:.1f}"
        steps = f"{entry['steps']} of {entry['of_steps']}"
        cells = [_cell(entry["tests"].get(task)) for task in TASKS]
        lines.append(_row([entry["title"], entry["protocol"], *cells, steps, hours]))
    return "\n".join(lines) + "\n"


def draw_curves(results: dict[str, Any], path: Path) -> None:
    """Accuracy on meta-validation episodes over the time spent, a line an entry."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout="constrained")
    for entry in results.get("entries", {}).values():
        minutes = [at["seconds"] / 60 for at in entry["curve"]]
        axes.plot(minutes, [100 * at["eval_score"] for at in entry["curve"]], label=entry["title"])
    axes.set_xlabel("minutes of meta-training")
    axes.set_ylabel("accuracy on meta-validation, %")
    axes.set_ylim(80, 100)
    axes.legend(fontsize="small", loc="lower right")
    with atomic.replacement(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def _cell(test: dict[str, Any] | None) -> str:
    if test is None:
        return ""
    return f"{100 * test['accuracy']:.2f} ± {100 * test['ci95']:.2f}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
