"""The pictures that only the report of a regression has."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np

from components.few_shot_evaluator.figures import (
    ACCENT,
    INK,
    LIGHT,
    SECOND,
    STYLE,
    as_svg,
    bars,
    new_figure,
)

_DASHES = (":", "--", "-")


def errors(rows: Sequence[tuple[str, float, float]], *, threshold: float | None) -> str:
    """Draws bars of (name, mean squared error, half-width), the first of the evaluated model."""
    largest = max(value for _, value, _ in rows) or 1.0
    return bars(rows, score_format=".4f", longest=largest, right=1.15 * largest, line=threshold)


def distribution(scores: Sequence[float], *, mean: float) -> str:
    """Draws how many episodes have which error."""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(4.6, 3.0)
        finite = [score for score in scores if np.isfinite(score)]
        axes.hist(finite, bins=30, color=ACCENT, rwidth=0.9)
        axes.axvline(mean, color=INK, linewidth=1)
        axes.set_xlabel("mean squared error of an episode")
        axes.set_ylabel("episodes")
        return as_svg(figure)


def function(
    support: tuple[np.ndarray, np.ndarray],
    truth: tuple[np.ndarray, np.ndarray],
    predictions: Mapping[str, np.ndarray],
) -> str:
    """Draws a function of one number as figure 2 of the MAML paper shows it.

    `support` and `truth` are pairs (x, y) of the support examples and of the queries; `predictions`
    `[Q]` by number of inner steps.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(4.6, 3.0)
        order = np.argsort(truth[0])
        axes.plot(truth[0][order], truth[1][order], color=LIGHT, linewidth=5, label="truth")
        for dash, (steps, values) in zip(_DASHES[-len(predictions) :], predictions.items()):
            name = steps if steps == "adapted" else f"{steps} step{'s' * (steps != '1')}"
            axes.plot(truth[0][order], values[order], color=ACCENT, linestyle=dash, label=name)
        axes.plot(*support, "^", color=SECOND, markersize=6, label="support")
        axes.legend(loc="best", fontsize=8)
        return as_svg(figure)
