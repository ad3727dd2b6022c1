"""A tiny sound set of episodes, and what it takes to run an executor on it."""

from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from PIL import Image

from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import (
    DataOptions,
    EpisodeCounts,
    EpisodeGenConfig,
    EpisodeOptions,
)


@pytest.fixture(scope="session")
def config(tmp_path_factory) -> EpisodeGenConfig:
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for number in range(12):
        (root / f"class_{number:02d}").mkdir()
        for image in range(4):
            pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(root / f"class_{number:02d}" / f"{image}.png")
    return EpisodeGenConfig(
        DataOptions(source="folder", path=str(root), image_size=8),
        EpisodeOptions(
            ways=2,
            shots=1,
            queries=2,
            counts=EpisodeCounts(train=20, eval=4, test=4),
            rotations="train",
        ),
    )


@pytest.fixture
def episodes(config, tmp_path) -> Path:
    """The uri of a new Examples artifact."""
    generate_episodes(
        config,
        uri=str(tmp_path / "examples"),
        work=str(tmp_path / "work"),
        make_pipeline=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"]),
    )
    return tmp_path / "examples"
