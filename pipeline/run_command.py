"""`fewshot run`: check, run, tell what came out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from components.episode_gen.check import check_data
from components.single_threaded import use_single_threaded_operations
from pipeline.config import load_config
from pipeline.console import BLESSED, NOT_BLESSED, narrated


def run_pipeline(
    config_path: str, overrides: Sequence[str], output_dir: Path | None, *, ask: bool
) -> int:
    """Runs the pipeline and returns the exit status.

    Raises:
      UserError: the configuration or the data are wrong; nothing has run.
    """
    config = load_config(config_path, overrides)
    use_single_threaded_operations()
    folder = output_dir or Path("runs") / config.name
    with narrated("run", folder / "pipeline.log") as seconds:
        console = Console(stderr=True)
        data = check_data(config.data, config.episodes)
        console.print(f"[bold]{config.name}[/bold]: {_described(data.splits)}", highlight=False)
        for name, reason in data.skipped.items():
            console.print(f"  skipped {name}: {reason}", highlight=False, markup=False)

        from pipeline.local_runner import point_latest_to, run_locally

        summary = run_locally(config, folder, data, seconds)
    console = Console(stderr=True)
    if output_dir is None:
        point_latest_to(folder)
    _tell(summary, folder, console)
    if not summary["pushed"]:
        return NOT_BLESSED
    if ask:
        from pipeline.ask import ask_about_unseen_classes

        ask_about_unseen_classes(folder, summary)
    return BLESSED


def _described(splits: dict[str, list[str]]) -> str:
    counts = ", ".join(f"{len(names)} {split}" for split, names in splits.items())
    return f"{counts} classes"


def _tell(summary: dict[str, Any], folder: Path, console: Console) -> None:
    test = summary["test"]
    metric = "accuracy" if "accuracy" in test else "mean_squared_error"
    lines = [
        f"{metric.replace('_', ' ')} {test[metric]:.4f} ± {test['ci95']:.4f} ({test['protocol']}, "
        f"{test['episodes']} episodes of unseen {'classes' if metric == 'accuracy' else 'tasks'})",
        *(f"  {name}: {value:.4f}" for name, value in summary["baselines"].items()),
        *_warnings(test[metric], summary["baselines"], higher_is_better=metric == "accuracy"),
        f"blessed: pushed to {summary['pushed']}"
        if summary["pushed"]
        else "not blessed, not pushed",
        *(f"  {reason}" for reason in summary["reasons"] if not summary["pushed"]),
        f"report: {folder / 'report.html'}",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    sys.stderr.flush()


def _warnings(score: float, baselines: dict[str, float], *, higher_is_better: bool) -> list[str]:
    """A line for each baseline that is as good as the model."""
    sign = 1 if higher_is_better else -1
    return [
        f"  beware: {name} does as well; an `evaluation.threshold` beyond it refuses such models"
        for name, value in baselines.items()
        if sign * value >= sign * score
    ]
