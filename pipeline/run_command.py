"""`fewshot run`: check the configuration and the data, run the pipeline, print the results."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from components.episode_gen.check import check_data
from components.single_threaded import use_single_threaded_operations
from pipeline.config import load_config
from pipeline.console import BLESSED, NOT_BLESSED, bold, console_session, plain_console
from pipeline.left_out import print_left_out


def run_pipeline(
    config_path: str, overrides: Sequence[str], output_dir: Path | None, *, predict: bool
) -> int:
    """Runs the pipeline and returns the exit status.

    Args:
      config_path: path of the YAML file.
      overrides: each `section.key=value`, over the file.
      output_dir: folder of the run; `None` for runs/<name of the pipeline>.
      predict: whether to end with a query about unseen classes, if a model was pushed.

    Raises:
      UserError: the configuration or the data are wrong; nothing has run.
    """
    config = load_config(config_path, overrides)
    use_single_threaded_operations()
    folder = output_dir or Path("runs") / config.name
    with console_session("run", folder / "pipeline.log") as seconds:
        console = plain_console(stderr=True)
        data = check_data(config.data, config.episodes)
        console.print(bold(config.name, f": {_class_counts(data.splits)}"))
        print_left_out(console, data)

        from pipeline.local_runner import point_latest_to, run_locally

        summary = run_locally(config, folder, data, seconds)
    console = plain_console(stderr=True)
    if output_dir is None:
        point_latest_to(folder)
    print_results(summary, folder, console)
    if not summary["pushed"]:
        return NOT_BLESSED
    if predict:
        from pipeline.example_query import query_unseen_classes

        query_unseen_classes(folder, summary)
    return BLESSED


def _class_counts(splits: dict[str, list[str]]) -> str:
    counts = ", ".join(f"{len(names)} {split}" for split, names in splits.items())
    return f"{counts} classes"


def print_results(summary: dict[str, Any], folder: Path, console: Console) -> None:
    """Prints accuracy, baselines, blessing and where the report lies."""
    test = summary["test"]
    metric = "accuracy" if "accuracy" in test else "mean_squared_error"
    lines = [
        f"{metric.replace('_', ' ')} {test[metric]:.4f} ± {test['ci95']:.4f} ({test['protocol']}, "
        f"{test['episodes']} episodes of unseen {_unseen(test)})",
        *(f"  {name}: {value:.4f}" for name, value in summary["baselines"].items()),
        *_baseline_warnings(
            test[metric], summary["baselines"], higher_is_better=metric == "accuracy"
        ),
        *(f"  warning: {caution}" for caution in summary.get("cautions", [])),
        f"blessed: pushed to {summary['pushed']}"
        if summary["pushed"]
        else "not blessed, not pushed",
        *(f"  {reason}" for reason in summary["reasons"] if not summary["pushed"]),
        f"report: {folder / 'report.html'}",
    ]
    for line in lines:
        console.print(line, soft_wrap=True)
    sys.stderr.flush()


def _unseen(test: dict[str, Any]) -> str:
    """What is unseen in the test episodes, and how much of it there is."""
    if "accuracy" not in test:
        return "tasks"
    groups = f" of {test['groups']} groups" if test.get("groups") else ""
    count = f": {test['classes']} classes{groups}" if test.get("groups") else ""
    return f"{test.get('unseen', 'classes')}{count}"


def _baseline_warnings(
    score: float, baselines: dict[str, float], *, higher_is_better: bool
) -> list[str]:
    """A line for each baseline that is as good as the model."""
    sign = 1 if higher_is_better else -1
    return [
        f"  warning: the baseline {name} is as good; a stricter `evaluation.threshold` refuses this"
        for name, value in baselines.items()
        if sign * value >= sign * score
    ]
