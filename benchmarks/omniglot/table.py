"""The results as a Markdown table and as learning curves."""

from pathlib import Path
from typing import Any

from benchmarks import markdown
from serving import atomic

TASKS = ("5w1s", "5w5s", "20w1s", "20w5s")


def table(results: dict[str, Any]) -> str:
    """Formats one row for each entry: accuracies in per cent with the 95% interval.

    Args:
      results: content of `omniglot.json`.
    """
    rows = []
    for entry in results.get("entries", {}).values():
        hours = f"{entry['seconds'] / 3600:.1f}"
        steps = f"{entry['steps']} of {entry['of_steps']}"
        cells = [_cell(entry["tests"].get(task)) for task in TASKS]
        rows.append([entry["title"], entry["protocol"], *cells, steps, hours, entry["commit"]])
    return markdown.table(["learner", "protocol", *TASKS, "meta-steps", "hours", "commit"], rows)


def error_table(result: dict[str, Any]) -> str:
    """Formats the queries that each entry, and all together, predict wrongly.

    Args:
      result: content of `omniglot_errors.json`.
    """
    wrong = {f"`{name}`": count for name, count in result["wrong"].items()}
    wrong["all of these"] = result["wrong_in_all"]
    rows = [[name, f"{count} of {result['queries']:,}"] for name, count in wrong.items()]
    return markdown.table(["entry", f"wrong queries, {result['task']}"], rows)


def draw_curves(results: dict[str, Any], path: Path) -> None:
    """Draws accuracy on meta-validation episodes over the time spent, one line for each entry."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 6), layout="constrained")
    axes.set_prop_cycle(color=pyplot.get_cmap("tab20").colors)
    for entry in results.get("entries", {}).values():
        minutes = [at["seconds"] / 60 for at in entry["curve"]]
        axes.plot(minutes, [100 * at["eval_score"] for at in entry["curve"]], label=entry["title"])
    axes.set_xlabel("minutes of meta-training")
    axes.set_ylabel("accuracy on meta-validation, %")
    axes.set_ylim(80, 100)
    figure.legend(fontsize="small", loc="outside lower left")
    with atomic.replacement(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def _cell(test: dict[str, Any] | None) -> str:
    if test is None:
        return ""
    return f"{100 * test['accuracy']:.2f} ± {100 * test['ci95']:.2f}"
