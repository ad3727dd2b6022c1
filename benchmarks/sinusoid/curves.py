"""Figures 2 and 3 of the MAML paper (arXiv 1703.03400), from a run of `sinusoid_k10`.

    fewshot run --config pipeline/configs/sinusoid_k10.yaml --output-dir DIR
    python -m benchmarks.sinusoid.curves DIR [--steps N]

Beside the run's own model two baselines adapt to the same test episodes: a network pretrained on
all tasks at once (MAML without inner steps is plain training), at the best of several inner rates,
and one with random weights. Writes `curves.png` and `curves.json` into `results/`.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import tensorflow as tf

from benchmarks.episode_gen.throughput import processor
from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import read_record
from components.few_shot_evaluator.metrics import mean_interval
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.task_types import mean_squared_error
from components.meta_trainer.build import Assembly, assemble
from components.meta_trainer.input_pipeline import fixed_episodes, training_episodes
from components.meta_trainer.options import TrainingOptions, checked
from components.meta_trainer.training_loop import meta_train
from components.meta_trainer.types import Support

RESULTS = Path(__file__).parent / "results"
EPISODES = 600
RATES = (0.001, 0.003, 0.01, 0.03)
SHOWN_STEPS = (0, 1, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the output folder of a run")
    parser.add_argument("--steps", type=int, default=15_000, help="of the pretraining")
    args = parser.parse_args()
    summary = json.loads((args.run / "summary.json").read_text())
    uri = str(max((args.run / "tfx" / "EpisodeGen" / "examples").iterdir()))
    episodes = read_episodes(uri)
    paths = {"MAML": ExportedModel(summary["pushed"]).path(*inputs(episodes))}
    config = summary["config"]
    weights = {"pretrained": pretrain(uri, config, args.steps)}
    weights["random"] = learner(uri, config, RATES[0]).learner.init(1)
    for rate in RATES:
        path = learner(uri, config, rate).learner.path
        for name, start in weights.items():
            x, y, query_x = map(tf.constant, inputs(episodes))
            paths[f"{name} {rate:g}"] = path(start, Support(x, y), query_x).numpy()
    curves = {name: error_per_step(path, episodes["query_y"]) for name, path in paths.items()}
    chosen = {"MAML": "MAML"} | {
        name: min((n for n in curves if n.startswith(name)), key=lambda n: curves[n][-1][0])
        for name in ("pretrained", "random")
    }
    RESULTS.mkdir(exist_ok=True)
    draw(
        episodes,
        {n: paths[k] for n, k in chosen.items()},
        {n: curves[k] for n, k in chosen.items()},
    )
    write_results(args, chosen, curves)


def read_episodes(uri: str) -> dict[str, np.ndarray]:
    """The first test episodes, stacked."""
    serialized = next(iter(read_split(uri, "test").batch(EPISODES)))
    parsed = parse_episodes(serialized, read_record(uri).example_spec)
    return {name: tensor.numpy() for name, tensor in parsed.items()}


def inputs(episodes: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return episodes["support_x"], episodes["support_y"], episodes["query_x"]


def learner(uri: str, config: dict[str, Any], rate: float) -> Assembly:
    """Plain training, and then ten gradient steps of a rate."""
    section = config["learner"] | {"inner_steps": 0, "test_steps": 10, "inner_rate": rate}
    return assemble(read_record(uri), section)


def pretrain(uri: str, config: dict[str, Any], steps: int) -> dict[str, tf.Tensor]:
    """The weights of a network trained on all tasks at once."""
    record = read_record(uri)
    values = config["training"] | {"steps": steps, "eval_every": steps}
    options = checked(TrainingOptions, values, "training")

    def training(start_step: int) -> tf.data.Dataset:
        return training_episodes(
            uri,
            record,
            episodes_per_step=options.episodes_per_step,
            augment=options.augment,
            seed=options.seed,
            start_step=start_step,
        )

    with tempfile.TemporaryDirectory() as folder:
        return meta_train(
            learner(uri, config, RATES[0]),
            options,
            training=training,
            validation=fixed_episodes(uri, record, split="eval", count=200, stack=50),
            checkpoint_dir=folder,
            log_dir=folder,
        ).weights


def error_per_step(path: np.ndarray, query_y: np.ndarray) -> list[tuple[float, float]]:
    """(mean squared error, 95% half-width) after each number of steps."""
    errors = [mean_squared_error(path[:, k], query_y) for k in range(path.shape[1])]
    return [tuple(round(v, 4) for v in mean_interval(of_step)) for of_step in errors]


def draw(
    episodes: dict[str, np.ndarray], paths: dict[str, np.ndarray], curves: dict[str, list]
) -> None:
    """Two episodes answered by MAML and by the pretrained network; the error per step of all."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(13, 6.5), layout="constrained")
    for row, name in enumerate(("MAML", "pretrained")):
        for column in range(2):
            ax = axes[row, column]
            x, y = episodes["query_x"][column, :, 0], episodes["query_y"][column, :, 0]
            order = np.argsort(x)
            ax.plot(x[order], y[order], color="#d9dee4", linewidth=5, label="truth")
            for steps, dash in zip(SHOWN_STEPS, (":", "--", "-")):
                answer = paths[name][column, steps, :, 0]
                ax.plot(x[order], answer[order], dash, color="#0f766e", label=f"{steps} steps")
            support = episodes["support_x"][column, :, 0], episodes["support_y"][column, :, 0]
            ax.plot(*support, "^", color="#b45309", label="support")
            ax.set_title(f"{name}, test episode {column}")
    axes[0, 0].legend(fontsize=8)
    grid = axes[0, 0].get_gridspec()
    for ax in axes[:, 2]:
        ax.remove()
    ax = figure.add_subplot(grid[:, 2])
    for name, curve in curves.items():
        means, widths = zip(*curve)
        ax.errorbar(range(len(means)), means, widths, marker="o", markersize=3, label=name)
    ax.set(xlabel="gradient steps", ylabel="mean squared error", ylim=(0, None))
    ax.legend()
    figure.savefig(RESULTS / "curves.png", dpi=110)


def write_results(args: argparse.Namespace, chosen: dict[str, str], curves: dict) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    machine = {"processor": processor(), "cores": os.cpu_count()}
    results = {
        "commit": commit,
        "machine": machine,
        "configuration": "sinusoid_k10",
        "episodes": EPISODES,
        "pretraining_steps": args.steps,
        "shown": chosen,
        "error_per_step": curves,
    }
    (RESULTS / "curves.json").write_text(json.dumps(results))
    for name, key in chosen.items():
        print(f"{name} ({key}): {curves[key][0][0]} before, {curves[key][-1][0]} after 10 steps")


if __name__ == "__main__":
    main()
