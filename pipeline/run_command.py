"""`fewshot run`: check the configuration and the data, run the pipeline, print the results."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from components.episode_gen.check import check_data
from components.meta_trainer.build import check_encoder
from components.single_threaded import use_single_threaded_operations
from pipeline.config import load_config
from pipeline.console import BLESSED, NOT_BLESSED, bold, console_session, plain_console
from pipeline.intervals import METRICS, over_units
from pipeline.left_out import print_left_out
from pipeline.start_from import with_start_folder


def run_pipeline(
    config_path: str, overrides: Sequence[str], output_dir: Path | None, *, predict: bool
) -> int:
    """Runs the pipeline with the options of `fewshot run` and returns the exit status.

    Raises:
      UserError: the configuration or the data are wrong; nothing has run.
    """
    config = with_start_folder(load_config(config_path, overrides))
    config.beam.check_machine()
    check_encoder(config.learner)
    use_single_threaded_operations()
    folder = output_dir or Path("runs") / config.name
    with console_session("run", folder / "pipeline.log") as seconds:
        console = plain_console(stderr=True)
        data = check_data(config.data, config.episodes)
        counts = ", ".join(f"{len(names)} {split}" for split, names in data.splits.items())
        console.print(bold(config.name, f": {counts} classes"))
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


def print_results(summary: dict[str, Any], folder: Path, console: Console) -> None:
    """Prints accuracy, baselines, blessing and where the report lies."""
    test, pushed, beside = summary["test"], summary["pushed"], summary["baseline_differences"]
    metric = next(name for name in METRICS if name in test)
    lines = [
        f"{metric.replace('_', ' ')} {test[metric]:.4f} ± {test['ci95']:.4f}"
        f"{over_units(summary.get('test_intervals', {}), metric)} ({test['protocol']}, "
        f"{test['episodes']} episodes of unseen {_unseen(summary)})",
        *(
            f"  {beside[name]['words']}: {value:.4f}"
            for name, value in summary["baselines"].items()
        ),
        *(
            f"  warning: not ahead of {one['words']} (difference {one['difference']:+.4f} ± "
            f"{one['ci95']:.4f})"
            for one in beside.values()
            if not one["ahead"]
        ),
        *(f"  warning: {caution}" for caution in summary.get("cautions", [])),
        f"blessed: pushed to {summary['pushed']}" if pushed else "not blessed, not pushed",
        *(f"  {reason}" for reason in summary["reasons"] if not pushed),
        *([f"still served: {summary['shipped']}"] if summary.get("shipped") and not pushed else []),
        f"report: {folder / 'report.html'}",
    ]
    for line in lines:
        console.print(line, soft_wrap=True)
    sys.stderr.flush()


def _unseen(summary: dict[str, Any]) -> str:
    """What is unseen in the test episodes, and how much of it there is."""
    if "mean_squared_error" in summary["test"]:
        return "tasks"
    split = summary.get("test_split", {})
    groups = split.get("groups")
    count = f": {split['classes']} classes of {groups} groups" if groups else ""
    return f"{split.get('unseen', 'classes')}{count}"
