"""`fewshot init --try`: a short comparison of the learners that suit the data."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from pipeline.compare.trial import Result


def choose_learner(
    values: Mapping[str, Any],
    learners: Mapping[str, Mapping[str, Any]],
    *,
    folder: Path,
    minutes: float,
    console: Console,
) -> str:
    """Meta-trains each learner on the same episodes and names the best on meta-validation.

    The test episodes take no part in the choice, so that the accuracy of a run on them is not the
    best of several.

    Args:
      values: the sections of the configuration.
      learners: sections `learner`, by name.
      folder: where episodes, models and results are kept, for a comparison that is continued.
      minutes: duration of all meta-training, shared evenly.
      console: where progress is printed.

    Raises:
      UserError: the data cannot be used with this configuration.
    """
    from components.single_threaded import use_single_threaded_operations
    from pipeline.compare.comparison import run_trials
    from pipeline.config import build_config

    use_single_threaded_operations()
    tried = {
        name: build_config({"name": "try", **values, "learner": learner})
        for name, learner in learners.items()
    }
    results = run_trials(tried, folder, 60 * minutes / len(tried), console)
    for result in results:
        console.print(f"{result.learner}: meta-validation {validation_score(result):.4f}")
    return max(results, key=validation_score).learner


def validation_score(result: "Result") -> float:
    """The best score on meta-validation episodes, that of the weights that were exported."""
    return max(entry["eval_score"] for entry in result.history)
