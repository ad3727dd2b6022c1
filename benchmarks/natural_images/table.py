"""The costs of the networks as a Markdown table."""

from typing import Any

from benchmarks import markdown
from benchmarks.natural_images.networks import NETWORKS


def table(result: dict[str, Any]) -> str:
    """Formats one row for each network, and a line on the run to a push."""
    titles = ["network", "first meta-step", "each further one", "tasks/s", "memory", "60,000 steps"]
    rows = [
        [
            name,
            f"{one['first_step_seconds']:.0f} s",
            f"{one['step_seconds']:.2f} s",
            f"{one['tasks'] / one['step_seconds']:.2f}",
            f"{one['peak_mb'] / 1024:.1f} GB",
            f"{60_000 * one['step_seconds'] / 3600:.0f} h",
        ]
        for name in NETWORKS
        if (one := result.get(name))
    ]
    costs = markdown.table(titles, rows) if rows else ""
    return costs + _sentence(result.get("run"))


def _sentence(run: dict[str, Any] | None) -> str:
    """What the run to a push was, and what it took."""
    if run is None:
        return ""
    mean, half_width = run["accuracy"]
    script = run["best_baseline"].replace("_", " ")
    trainer, gigabytes = run["seconds_of_steps"]["Trainer"], run["peak_mb"] / 1024
    return (
        f"\nOn the stand-in, {run['meta_steps']} meta-steps of conv4-32 reached {mean:.4f} ± "
        f"{half_width:.4f} (best script: {script}, {run['baseline_accuracy']:.3f}) and the model "
        f"{'was pushed' if run['pushed'] else 'was not blessed'}: {run['seconds']} s for the whole "
        f"pipeline, of which {trainer} s in the Trainer, and {gigabytes:.1f} GB in the largest "
        "process.\n"
    )
