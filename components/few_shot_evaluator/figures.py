"""The pictures of the report, as SVG within the page itself."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

INK, GREY, LIGHT, ACCENT, SECOND = "#1f2933", "#7b8794", "#d9dee4", "#0f766e", "#b45309"

STYLE: Any = {
    "text.parse_math": False,  # a class may be called "$x$"
    "svg.fonttype": "none",  # the page's own font
    "svg.hashsalt": "report",  # equal numbers give equal bytes
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LIGHT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#eef1f4",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
}


def bars(
    rows: Sequence[tuple[str, float, float]],
    *,
    score_format: str,
    longest: float,
    right: float,
    line: float | None,
    percent: bool = False,
) -> str:
    """Draws bars of (name, score, half-width) from the top, the first of the evaluated model.

    `longest` is the largest score, of which the gap between bar and number is a hundredth; `right`
    is the end of the axis, and `line` the score of a dotted line, if any.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(7.2, 0.5 + 0.42 * len(rows))
        names, values, widths = zip(*rows)
        colours = [ACCENT] + [LIGHT] * (len(rows) - 1)
        axes.barh(names, values, xerr=widths, color=colours, height=0.62, ecolor=GREY, capsize=2)
        for row, (_, value, width) in enumerate(rows):
            text = format(value, score_format)
            axes.text(value + width + 0.012 * longest, row, text, va="center", color=INK)
        if line is not None:
            axes.axvline(line, color=GREY, linestyle=":", linewidth=1)
        axes.invert_yaxis()
        axes.set_xlim(0.0, right)
        if percent:
            axes.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0])
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        return as_svg(figure)


def curve(
    x: Sequence[int],
    means: Sequence[float],
    half_widths: Sequence[float],
    *,
    x_label: str,
    references: Sequence[tuple[str, float]] = (),
    y_label: str = "accuracy",
) -> str:
    """Draws a score with its 95% interval over a whole number; references are (name, score)."""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(4.6, 3.0)
        axes.errorbar(
            x, means, half_widths, color=ACCENT, marker="o", markersize=4, capsize=3, linewidth=1.8
        )
        for name, value in references:
            axes.axhline(value, color=GREY, linestyle=":", linewidth=1)
            # A curve rises from left to right: there is room above on the left, below on the right.
            high = value > (means[0] + means[-1]) / 2
            place, side = (x[0], "left") if high else (x[-1], "right")
            axes.text(place, value, name, color=GREY, fontsize=9, ha=side, va="bottom")
        axes.set_xlabel(x_label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if y_label == "accuracy":
            accuracy_axis(axes)
        else:
            axes.set_ylim(bottom=0.0)
            axes.set_ylabel(y_label)
        return as_svg(figure)


def training(history: Sequence[dict[str, Any]], *, keys: Sequence[str], y_label: str) -> str:
    """Draws the history's `keys` over the meta-training steps; returns "" if it has none."""
    present = [key for key in keys if any(_is_number(row.get(key)) for row in history)]
    if not present:
        return ""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(4.6, 3.0)
        for key, colour in zip(present, [ACCENT, SECOND]):
            rows = [row for row in history if _is_number(row.get(key))]
            axes.plot(
                [row["step"] for row in rows],
                [row[key] for row in rows],
                color=colour,
                linewidth=1.5,
                marker="." if len(rows) < 30 else "",
                label="meta-validation" if key.startswith("eval_") else "meta-train",
            )
        axes.set_xlabel("step")
        axes.legend(loc="best")
        if "accuracy" in y_label:
            accuracy_axis(axes)
        axes.set_ylabel(y_label)
        return as_svg(figure)


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Makes a transparent figure, `width` by `height` inches, and its axes."""
    # A figure of its own, not pyplot's: a Beam or TFX worker has no display and shares no state.
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    axes = figure.subplots()
    axes.patch.set_alpha(0.0)
    return figure, axes


def accuracy_axis(axes: Axes) -> None:
    """Makes the vertical axis one of accuracies."""
    axes.set_ylim(0.0, 1.03)
    axes.set_ylabel("accuracy")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and value == value  # not NaN


def as_svg(figure: Figure) -> str:
    """The figure as an `<svg>` element, the same for the same figure."""
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=no_metadata)
    text = buffer.getvalue()
    return text[text.index("<svg") :]  # without the XML prologue, which HTML does not take
