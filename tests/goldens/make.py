"""Makes the goldens of today's formats: `python -m tests.goldens.make FOLDER`.

FOLDER gets `episodes/` (an Examples artifact of three small glyph episodes a split),
`model.tar.xz` (the SavedModel of a learner that was meta-trained on them for a few steps) and
`expected.npz` (the stacked test episodes and the model's predictions for them).

A golden is made once for each version of a format and never again: what one version wrote must be
read by all later ones. `episodes_v1/`, the same episodes but for `train` and `eval`, was written by
the code of commit a907342.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import apache_beam as beam
import numpy as np

from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import (
    DataOptions,
    EpisodeCounts,
    EpisodeGenConfig,
    EpisodeOptions,
)
from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import read_record
from components.few_shot_evaluator.model import ExportedModel
from components.meta_trainer.run_fn import train_and_export
from components.tasks.lookup import task_of

MODEL_NAME = "golden"
SETTINGS = EpisodeGenConfig(
    DataOptions(source="glyphs", image_size=14, invert=True),
    EpisodeOptions(ways=5, shots=1, queries=1, counts=EpisodeCounts(train=3, eval=3, test=3)),
)
LEARNER = {"name": "maml", "inner_steps": 2, "backbone": {"filters": 8, "blocks": 2}}
TRAINING = {"steps": 3, "episodes_per_step": 2, "eval_every": 3, "eval_episodes": 3}


def main(folder: str) -> None:
    """Writes episodes, model and expected predictions to a new folder."""
    episodes = f"{folder}/episodes"
    with tempfile.TemporaryDirectory() as work:
        generate_episodes(
            SETTINGS,
            uri=episodes,
            work=f"{work}/beam",
            make_pipeline=lambda: beam.Pipeline(runner="FnApiRunner"),
        )
        config = {
            "learner": LEARNER,
            "training": TRAINING,
            "checkpoint_root": f"{work}/checkpoints",
            "model_name": MODEL_NAME,
        }
        model = f"{work}/model"
        train_and_export(episodes, config, model_dir=model, run_dir=f"{work}/run")
        shutil.make_archive(f"{folder}/model", "xztar", root_dir=model)
        spec = read_record(episodes).example_spec
        stack = parse_episodes(next(iter(read_split(episodes, "test").batch(3))), spec).numpy()
        prediction = ExportedModel(model, task_of(spec)).predict(stack)
    np.savez_compressed(Path(folder, "expected.npz"), prediction=prediction, **stack._asdict())


if __name__ == "__main__":
    main(*sys.argv[1:])
