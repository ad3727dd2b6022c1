"""The table of the shipped configurations, read from the comments at their top."""

import re
from pathlib import Path

import yaml

from benchmarks import markdown
from benchmarks.reporting import ROOT

CONFIGURATIONS = ROOT / "pipeline" / "configs"
HEAD = re.compile(
    r"# Expected: (?P<metric>accuracy|recall|mean squared error) (?P<score>\S+ ± \S+); "
    r"best baseline (?P<baseline>.+); blessed at (?P<threshold>\S+)\n"
    r"# Time: (?P<time>.+)\. \d{4}-\d\d, commit (?P<commit>\w+).*\n"
)
SHORT = {"accuracy": "", "recall": " (recall)", "mean squared error": " (MSE)"}


def table() -> str:
    """Formats one row for each shipped configuration: the expected result and the time."""
    rows = [_row(path) for path in sorted(CONFIGURATIONS.glob("*.yaml"))]
    titles = ["configuration", "learner", "test", "best baseline", "blessed at", "whole pipeline"]
    titles += ["commit"]
    return markdown.table(titles, rows)


def _row(path: Path) -> list[str]:
    text = path.read_text()
    head = HEAD.search(text)
    if head is None:
        raise SystemExit(f"{path} must begin with a comment of the form {HEAD.pattern}.")
    score = head["score"] + SHORT[head["metric"]]
    learner = yaml.safe_load(text)["learner"]["name"]
    cells = [score, head["baseline"], head["threshold"], head["time"], head["commit"]]
    return [f"`{path.stem}`", f"`{learner}`", *cells]
