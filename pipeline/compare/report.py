"""What a comparison leaves: a table on the terminal, `compare.html` and `compare.json`."""

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
    found = differences(results)
    page = _template().render(
        head=headings(results),
        rows=[row(result) for result in ranked(results)],
        serves={result.learner: result.serves for result in ranked(results)},
        found=found,
        level=100 * level_of_each(len(found)),
        verdict=verdict(results, found),
        episodes=len(results[0].scores),
        tasks="classes" if results[0].metric == "accuracy" else "tasks",
        curves=Markup(learning_curves(results)),
        configuration=json.dumps(configuration, indent=2),
    )
    record = {
        "configuration": configuration,
        "learners": [
            result._asdict() | {"mean": mean_interval(result.scores)._asdict()}
            for result in ranked(results)
        ],
        "level_of_each_interval": level_of_each(len(found)),
        "differences": [d._asdict() | {"gain": d.gain._asdict(), "real": d.real} for d in found],
        "verdict": verdict(results, found),
    }
    atomic.write_json(folder / "compare.json", record)
    atomic.write_text(folder / "compare.html", page)
    return folder / "compare.html"


def table(results: Sequence[Result]) -> Table:
    """For a terminal of 80 columns, best first."""
    drawn = Table(box=None, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings(results)):
        drawn.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for result in ranked(results):
        drawn.add_row(*row(result))
    return drawn


def headings(results: Sequence[Result]) -> list[str]:
    score = {"accuracy": "accuracy", "mean_squared_error": "squared error"}[results[0].metric]
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


def servable(result: Result) -> str:
    """What a learner can serve, as a line of the terminal."""
    return f"{result.learner} serves " + "; ".join(f"{k}: {v}" for k, v in result.serves.items())


def told(difference: Difference) -> str:
    """A difference as a line of the terminal."""
    gain = f"{difference.gain.mean:+.4f} ± {difference.gain.half_width:.4f}"
    judged = "real" if difference.real else "not told apart"
    return f"{difference.better} against {difference.worse}: {gain}, {judged}"


def learning_curves(results: Sequence[Result]) -> str:
    """SVG: the score on meta-validation episodes over the seconds of meta-training."""
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(7.2, 3.6)
        # Scores in meta-training are all "more is better".
        sign = 1 if results[0].higher_is_better else -1
        for colour, result in zip(itertools.cycle(COLOURS), ranked(results)):
            axes.plot(
                [entry["seconds"] for entry in result.history],
                [sign * entry["eval_score"] for entry in result.history],
                color=colour,
                linewidth=1.6,
                marker="o",
                markersize=3,
                label=result.learner,
            )
        axes.set_xlabel("seconds of meta-training")
        axes.set_ylabel(f"meta-validation {results[0].metric.replace('_', ' ')}")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        return as_svg(figure)


def _template() -> jinja2.Template:
    """The page, which looks like the evaluator's."""
    packages = "pipeline.compare", "components.few_shot_evaluator"
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(p, package_path="") for p in packages]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("compare.html")
