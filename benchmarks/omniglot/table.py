"""The results as a Markdown table and as learning curves."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import markdown
from serving import atomic

TASKS = ("5w1s", "5w5s", "20w1s", "20w5s")


def table(results: dict[str, Any]) -> str:
    """Formats one row for each learner, and one more for those with several seeds.

    Accuracies are in per cent, with the 95% interval over test episodes or the seeds' deviation.

    Args:
      results: content of `omniglot.json`.
    """
    rows = []
    for title, entries in _by_title(results.get("entries", {})).items():
        rows += [_row(title, entries[:1], _cell)]
        if len(entries) > 1:
            rows += [_row(f"… {len(entries)} seeds, mean and deviation", entries, _spread)]
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

    figure, axes = pyplot.subplots(figsize=(7, 9), layout="constrained")
    axes.set_prop_cycle(color=pyplot.get_cmap("tab20").colors)
    for entries in _by_title(results.get("entries", {})).values():
        entry = entries[0]
        minutes = [at["seconds"] / 60 for at in entry["curve"]]
        axes.plot(minutes, [100 * at["eval_score"] for at in entry["curve"]], label=entry["title"])
    axes.set_xlabel("minutes of meta-training")
    axes.set_ylabel("accuracy on meta-validation, %")
    axes.set_ylim(80, 100)
    figure.legend(fontsize="small", loc="outside lower left")
    with atomic.replacement(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def _by_title(entries: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    titles: dict[str, list[dict[str, Any]]] = {}
    for entry in entries.values():
        titles.setdefault(entry["title"], []).append(entry)
    return titles


def _row(
    title: str, entries: list[dict[str, Any]], cell: Callable[[list[dict[str, Any]]], str]
) -> list[str]:
    first = entries[0]
    tests = [
        [entry["tests"][task] for entry in entries if task in entry["tests"]] for task in TASKS
    ]
    return [
        title,
        first["protocol"],
        *(cell(measured) if measured else "" for measured in tests),
        f"{first['steps']} of {first['of_steps']}",
        f"{sum(entry['seconds'] for entry in entries) / 3600:.1f}",
        ", ".join(sorted({entry["commit"] for entry in entries})),
    ]


def _cell(tests: list[dict[str, Any]]) -> str:
    """The accuracy with its interval over the test episodes, in per cent."""
    return f"{100 * tests[0]['accuracy']:.2f} ± {100 * tests[0]['ci95']:.2f}"


def _spread(tests: list[dict[str, Any]]) -> str:
    """The mean over the seeds, with their standard deviation (of a sample), in per cent."""
    accuracies = [100 * test["accuracy"] for test in tests]
    return f"{statistics.mean(accuracies):.2f}, {statistics.stdev(accuracies):.2f}"
