"""The report of a comparison: a table on the terminal, `compare.html` and `compare.json`."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import matplotlib
from markupsafe import Markup
from rich.table import Table

from components.few_shot_evaluator.figures import STYLE, as_svg, new_figure
from components.few_shot_evaluator.metrics import mean_interval
from pipeline.compare.differences import Difference, differences, level_of_each, ranked, verdict
from pipeline.compare.trial import Result
from serving import atomic

COLOURS = (
    "#0f766e",
    "#b45309",
    "#1d4ed8",
    "#be185d",
    "#4d7c0f",
    "#6d28d9",
    "#0891b2",
    "#a16207",
    "#475569",
)


def write_report(results: Sequence[Result], folder: Path, configuration: dict[str, Any]) -> Path:
    """Writes `compare.html` and `compare.json`; returns the path of the page."""
    best_first, pairs = ranked(results), differences(results)
    page = _template().render(
        head=headings(results),
        rows=[row(result) for result in best_first],
        serves={result.learner: result.serves for result in best_first},
        pairs=pairs,
        level=100 * level_of_each(len(pairs)),
        verdict=verdict(results, pairs),
        episodes=len(results[0].scores),
        tasks="tasks" if results[0].metric == "mean_squared_error" else "classes",
        curves=Markup(learning_curves(results)),
        configuration=json.dumps(configuration, indent=2),
    )
    record = {
        "configuration": configuration,
        "learners": [r._asdict() | {"mean": mean_interval(r.scores)._asdict()} for r in best_first],
        "level_of_each_interval": level_of_each(len(pairs)),
        "differences": [d._asdict() | {"gain": d.gain._asdict(), "real": d.real} for d in pairs],
        "verdict": verdict(results, pairs),
    }
    atomic.write_json(folder / "compare.json", record)
    atomic.write_text(folder / "compare.html", page)
    return folder / "compare.html"


def table(results: Sequence[Result]) -> Table:
    """The table for a terminal of 80 columns, best learner first."""
    cells = Table(box=None, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings(results)):
        # The name of a grid's cell may be long: it is folded, and nothing else is.
        options: Any = {"justify": "right", "no_wrap": True} if number else {"overflow": "fold"}
        cells.add_column(heading, **options)
    for result in ranked(results):
        cells.add_row(*row(result))
    return cells


def headings(results: Sequence[Result]) -> list[str]:
    """The headings of the table."""
    score = results[0].metric.removeprefix("mean_").replace("_", " ")
    return ["learner", score, "adapt ms", "MB", "steps", "time", "speed"]


def row(result: Result) -> list[str]:
    """The cells of one learner, under `headings`."""
    score = mean_interval(result.scores)
    return [
        result.learner,
        f"{score.mean:.4f} ± {score.half_width:.4f}",
        f"{result.adapt_milliseconds:.1f}",
        f"{result.megabytes:.1f}",
        f"{result.steps}/{result.total_steps}",
        f"{result.seconds:.0f} s",
        f"{result.episodes_per_second:.0f}/s",
    ]


def serving_line(result: Result) -> str:
    """A line of the terminal: what a learner can serve."""
    return f"{result.learner} serves " + "; ".join(f"{k}: {v}" for k, v in result.serves.items())


def difference_line(difference: Difference) -> str:
    """A line of the terminal: the difference of two learners."""
    gain = f"{difference.gain.mean:+.4f} ± {difference.gain.half_width:.4f}"
    conclusion = "real" if difference.real else "may be chance"
    return f"{difference.better} against {difference.worse}: {gain}, {conclusion}"


def learning_curves(results: Sequence[Result]) -> str:
    """Draws the score on meta-validation episodes over the seconds of meta-training, as SVG."""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(7.2, 3.6)
        # In meta-training every score is "higher is better".
        sign = 1 if results[0].higher_is_better else -1
        for colour, result in zip(itertools.cycle(COLOURS), ranked(results)):
            seconds = [entry["seconds"] for entry in result.history]
            scores = [sign * entry["eval_score"] for entry in result.history]
            line: Any = {"color": colour, "linewidth": 1.6, "marker": "o", "markersize": 3}
            axes.plot(seconds, scores, label=result.learner, **line)
        axes.set_xlabel("seconds of meta-training")
        axes.set_ylabel(f"meta-validation {results[0].metric.replace('_', ' ')}")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return as_svg(figure)


def _template() -> jinja2.Template:
    """The page's template, in the style of the evaluator's report."""
    packages = "pipeline.compare", "components.few_shot_evaluator"
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(p, package_path="") for p in packages]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("compare.html")
