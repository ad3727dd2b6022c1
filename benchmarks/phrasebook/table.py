"""The results as a Markdown table."""

from typing import Any

from benchmarks import markdown
from components.few_shot_evaluator.retrieval.baselines import NAMES

RIDGE, ANIL, JOINT, FINE_TUNED = "ridge", "anil", "joint", "fine_tuned"
WORDS = {
    RIDGE: "as shipped: ridge regression and a table of words beside a meta-learned head",
    ANIL: "ANIL, learned rates (MAML is the same: tables of tokens are not adapted)",
    JOINT: "joint training, no adaptation",
    FINE_TUNED: "joint training, then fine-tuning of the head",
} | NAMES


def table(results: dict[str, Any]) -> str:
    """Formats one row for each learner and baseline, two columns for each number of pairs.

    The second is how far the shipped learner is ahead of the row, with the interval over languages.
    """
    runs = {k: results["runs"][k] for k in sorted(results["runs"], key=int)}
    titles = ["recall on unseen languages"]
    for k in runs:
        titles += [f"k = {k}", "shipped is ahead by"]
    return markdown.table(titles, [_row(name, runs) for name in WORDS])


def _row(name: str, runs: dict[str, Any]) -> list[str]:
    cells = [WORDS[name]]
    for run in runs.values():
        ahead = run["ahead"].get(name)
        cells.append(f"{run['recall'][name]:.3f}")
        cells.append("{:+.3f} ± {:.3f}".format(*ahead) if ahead else "")
    return cells
