"""Keeps what a run pushed, with its predictions: `python -m tests.stacks.pushed RUN FOLDER`.

FOLDER gets `episodes/` (the run's Examples), `model/` (the pushed version) and `expected.npz` (the
first test episodes, stacked, and the model's predictions in this process).
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import read_record
from components.few_shot_evaluator.model import ExportedModel
from components.tasks.lookup import task_of

EPISODES = 20


def main(run: str, folder: str) -> None:
    """Writes the folder anew from a run that pushed a model."""
    pushed = json.loads(Path(run, "summary.json").read_text())["pushed"]
    record = max(Path(run, "tfx/EpisodeGen/examples").glob("*/episodes.json"))
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(record.parent, f"{folder}/episodes")
    shutil.copytree(pushed, f"{folder}/model")
    spec = read_record(f"{folder}/episodes").example_spec
    serialized = next(iter(read_split(f"{folder}/episodes", "test").batch(EPISODES)))
    episodes = parse_episodes(serialized, spec).numpy()
    prediction = ExportedModel(f"{folder}/model", task_of(spec)).predict(episodes)
    np.savez_compressed(Path(folder, "expected.npz"), prediction=prediction, **episodes._asdict())


if __name__ == "__main__":
    main(*sys.argv[1:])
