"""The pictures that only the report of a classifier has."""

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.ticker import MaxNLocator, PercentFormatter

from components.few_shot_evaluator.figures import (
    ACCENT,
    GREY,
    INK,
    SECOND,
    STYLE,
    accuracy_axis,
    as_svg,
    bars,
    new_figure,
)


def accuracies(rows: Sequence[tuple[str, float, float]], *, chance: float) -> str:
    """Draws bars of (name, accuracy, half-width), the first of the evaluated model."""
    return bars(rows, score_format=".1%", longest=1.0, right=1.1, line=chance, percent=True)


def reliability(bins: Sequence[dict[str, Any]]) -> str:
    """Draws accuracy over confidence; the shade of a bar is its share of the queries."""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(4.6, 3.0)
        filled = [one for one in bins if one["queries"]]
        max_queries = max(one["queries"] for one in filled)
        for one in filled:
            axes.bar(
                (one["from"] + one["to"]) / 2,
                one["accuracy"],
                width=0.92 * (one["to"] - one["from"]),
                color=ACCENT,
                alpha=0.15 + 0.85 * one["queries"] / max_queries,
            )
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
        axes.set_xlabel("confidence")
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        accuracy_axis(axes)
        return as_svg(figure)


def none_curves(entry: dict[str, Any]) -> str:
    """Draws right answers, "none of these" among them, over the share of queries refused wrongly.

    `entry` is `none_of_these` of `metrics.json`; the dots are the thresholds.
    """
    other = entry.get("by_largest_probability")
    scores = [(entry, entry["score"].replace("_", " "), ACCENT)]
    scores += [(other, "largest probability", SECOND)] if other else []
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(4.6, 3.0)
        for rated, name, colour in scores:
            refused, right = zip(*((row["refused"], row["accuracy"]) for row in rated["curve"]))
            axes.plot(refused, right, color=colour, linewidth=1.8, label=name)
            axes.plot(rated["refused"], rated["accuracy"], color=colour, marker="o")
        axes.set_xlabel("queries of the classes that are refused")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlim(-0.02, 1)
        accuracy_axis(axes)
        axes.set_ylabel('accuracy with "none"')
        axes.legend(loc="best")
        return as_svg(figure)


def distribution(scores: Sequence[float], *, mean: float) -> str:
    """Draws how many episodes reach which accuracy."""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(4.6, 3.0)
        axes.hist(scores, bins=20, range=(0.0, 1.0), color=ACCENT, rwidth=0.9)
        axes.axvline(mean, color=INK, linewidth=1)
        axes.text(mean - 0.01, axes.get_ylim()[1] * 0.97, "mean", ha="right", va="top", color=INK)
        axes.set_xlabel("accuracy of an episode")
        axes.set_ylabel("episodes")
        axes.set_xlim(0, 1.01)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        return as_svg(figure)
