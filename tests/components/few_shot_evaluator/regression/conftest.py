"""Regression episodes of each generated source, and an untrained model exported for them."""

import apache_beam as beam
import pytest

from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import (
    DataOptions,
    EpisodeCounts,
    EpisodeGenConfig,
    EpisodeOptions,
)
from components.episodes.record import read_record
from components.meta_trainer.build import assemble
from components.meta_trainer.export.saved_model import export

BACKBONES = {
    "sinusoid": {"name": "mlp", "sizes": [8]},
    "styles": {"name": "image_to_image", "filters": 16, "layers": 1, "fold": 4},
}


@pytest.fixture(scope="session")
def regression(tmp_path_factory):
    """`source -> (uri of the episodes, folder of the model)`."""
    made = {}

    def make(source: str) -> tuple[str, str]:
        if source not in made:
            folder = tmp_path_factory.mktemp(source)
            config = EpisodeGenConfig(
                DataOptions(source=source, tasks=10, examples_per_task=7),
                EpisodeOptions(
                    ways=1, shots=3, queries=4, counts=EpisodeCounts(train=2, eval=2, test=8)
                ),
            )
            generate_episodes(
                config,
                uri=str(folder),
                work=str(folder / ".work"),
                make_pipeline=lambda: beam.Pipeline(runner="FnApiRunner"),
            )
            learner = {"name": "maml", "inner_steps": 2, "backbone": BACKBONES[source]}
            assembly = assemble(read_record(str(folder)), learner | {"inner_learning_rate": 0.01})
            export(assembly, assembly.learner.init(0), str(folder / "model"), {})
            made[source] = str(folder), str(folder / "model")
        return made[source]

    return make
