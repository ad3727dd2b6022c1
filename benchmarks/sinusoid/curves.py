"""Figures 2 and 3 of the MAML paper (arXiv 1703.03400), from a run of `sinusoid_k10`.

    python -m benchmarks.sinusoid.curves [--run DIR] [--steps N] [--record]

runs the pipeline into DIR, unless it has been run there (minutes). Beside its model two baselines
adapt to the same test episodes: a network pretrained on all tasks at once (MAML without inner steps
is plain training), at the best of several inner learning rates, and one with random weights. Result
files: `sinusoid.json` and, from it alone, `sinusoid.png`.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.reporting import about, add_record_option, report
from benchmarks.sinusoid.table import table
from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import read_record
from components.episodes.types import Episodes, Support
from components.few_shot_evaluator.metrics import mean_interval
from components.few_shot_evaluator.model import ExportedModel
from components.meta_trainer.build import Assembly, assemble
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training.input_pipeline import fixed_episodes, training_episodes
from components.meta_trainer.training.loop import meta_train
from components.options import build_options
from components.tasks.regression import mean_squared_error, regression

NAME = "sinusoid"
CONFIGURATION = "sinusoid_k10"
EPISODES = 600
RATES = (0.001, 0.003, 0.01, 0.03)
SHOWN_STEPS = (0, 1, 10)
SHOWN_EPISODES = 2
COLOURS = {"MAML": "#0f766e", "pretrained": "#b45309", "random": "#7b8794"}


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=Path("runs/sinusoid-k10"))
    parser.add_argument("--steps", type=int, default=8000, help="steps of the pretraining")
    add_record_option(parser)
    args = parser.parse_args()
    if not (args.run / "summary.json").exists():
        config = f"pipeline/configs/{CONFIGURATION}.yaml"
        command = ["run", "--config", config, "--output-dir", str(args.run)]
        subprocess.run([sys.executable, "-m", "pipeline.cli", *command], check=True)
    result = measure(args.run, args.steps)
    report(NAME, result, args.results, table)
    draw(result, args.results / f"{NAME}.png")


def measure(run: Path, steps: int) -> dict[str, Any]:
    """Measures the error of each network after each inner step, and the fits of two episodes."""
    before = about()
    summary = json.loads((run / "summary.json").read_text())
    uri = str(max((run / "tfx" / "EpisodeGen" / "examples").iterdir()))
    episodes, config = read_episodes(uri), summary["config"]
    paths = {"MAML": ExportedModel(summary["pushed"], regression()).path(episodes)}
    weights = {
        "pretrained": pretrain(uri, config, steps),
        "random": learner(uri, config, RATES[0]).learner.init(1),
    }
    for rate in RATES:
        path = learner(uri, config, rate).learner.path
        for name, start in weights.items():
            x, y, query_x = map(tf.constant, inputs(episodes))
            paths[f"{name} {rate:g}"] = path(start, Support(x, y), query_x).numpy()
    errors = {name: error_per_step(path, episodes.query_y) for name, path in paths.items()}
    curves = {name: curve for name, curve in errors.items() if np.isfinite(curve[-1][0])}
    shown = {"MAML": "MAML"} | {
        name: min((n for n in curves if n.startswith(name)), key=lambda n: curves[n][-1][0])
        for name in weights
    }
    return {
        **before,
        "configuration": CONFIGURATION,
        "episodes": EPISODES,
        "pretraining_steps": steps,
        "shown": shown,
        "diverged": sorted(set(errors) - set(curves)),
        "error_per_step": curves,
        "fits": {name: fits(episodes, paths[shown[name]]) for name in ("MAML", "pretrained")},
    }


def fits(episodes: Episodes, path: np.ndarray) -> list[dict[str, Any]]:
    """Returns the points of the first test episodes, and predictions after the steps shown."""

    def numbers(values: np.ndarray) -> list[float]:
        return [round(float(v), 3) for v in values[:, 0]]

    episode_fits = []
    for e in range(SHOWN_EPISODES):
        order = np.argsort(episodes.query_x[e, :, 0])
        episode_fits.append(
            {
                "support": [numbers(part[e]) for part in episodes.support],
                "query": [numbers(part[e][order]) for part in (episodes.query_x, episodes.query_y)],
                "predictions": {k: numbers(path[e, k][order]) for k in SHOWN_STEPS},
            }
        )
    return episode_fits


def read_episodes(uri: str) -> Episodes:
    """Reads the first test episodes, stacked."""
    serialized = next(iter(read_split(uri, "test").batch(EPISODES)))
    return parse_episodes(serialized, read_record(uri).example_spec).numpy()


def inputs(episodes: Episodes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns support_x, support_y and query_x."""
    return episodes.support_x, episodes.support_y, episodes.query_x


def learner(uri: str, config: dict[str, Any], rate: float) -> Assembly:
    """Makes the learner of plain training, which then takes ten gradient steps at this rate."""
    section = config["learner"] | {"inner_steps": 0, "test_steps": 10, "inner_learning_rate": rate}
    return assemble(read_record(uri), section)


def pretrain(uri: str, config: dict[str, Any], steps: int) -> dict[str, tf.Tensor]:
    """Trains a network on all tasks at once, and returns its weights."""
    record = read_record(uri)
    values = config["training"] | {"steps": steps, "eval_every": steps}
    options = build_options(TrainingOptions, values, "training")

    with tempfile.TemporaryDirectory() as folder:
        return meta_train(
            learner(uri, config, RATES[0]),
            options,
            training=lambda start_step: training_episodes(uri, record, options, start_step),
            validation=fixed_episodes(uri, record, split="eval", count=200, stack=50),
            checkpoint_dir=folder,
            log_dir=folder,
        ).weights


def error_per_step(path: np.ndarray, query_y: np.ndarray) -> list[tuple[float, float]]:
    """Computes (mean squared error, 95% half-width) after each number of steps."""
    errors = [mean_squared_error(path[:, k], query_y) for k in range(path.shape[1])]
    return [tuple(round(v, 4) for v in mean_interval(of_step)) for of_step in errors]


def draw(results: dict[str, Any], path: Path) -> None:
    """Draws two episodes fitted by MAML and the pretrained network, and all errors per step."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    grid = figure.add_gridspec(2, 3)
    for row, (name, episodes) in enumerate(results["fits"].items()):
        for column, episode in enumerate(episodes):
            ax = figure.add_subplot(grid[row, column])
            x, y = episode["query"]
            ax.plot(x, y, color="#d9dee4", linewidth=5, label="truth")
            for (steps, predictions), dash in zip(episode["predictions"].items(), (":", "--", "-")):
                label = f"{steps} step{'' if int(steps) == 1 else 's'}"
                ax.plot(x, predictions, dash, color=COLOURS[name], label=label)
            ax.plot(*episode["support"], "^", color="#1f2933", label="support")
            ax.set_title(f"{name}, test episode {column}", fontsize=10)
            if not column:
                ax.legend(fontsize=8)
    ax = figure.add_subplot(grid[:, 2])
    for name, key in results["shown"].items():
        means, widths = zip(*results["error_per_step"][key])
        ax.errorbar(
            range(len(means)), means, widths, color=COLOURS[name], marker="o", ms=3, label=name
        )
    ax.set(xlabel="gradient steps on 10 points", ylabel="mean squared error", ylim=(0, 6))
    ax.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=90)
    # A palette is a third of the bytes; the picture has few colours.
    Image.open(buffer).convert("RGB").quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    main()
