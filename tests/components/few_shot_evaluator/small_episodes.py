"""A small set of episodes on disk: three classes that differ, drawn with noise."""

import pathlib

import numpy as np
import tensorflow as tf

from components.episodes.format import FORMAT_VERSION, Episode, encode_episode
from components.episodes.record import EpisodeSetRecord, write_record
from components.modalities.base import ExampleSpec

SPEC = ExampleSpec("image", "uint8", (8, 8, 1))
WAYS, SHOTS, QUERIES = 3, 2, 2


def episode(index: int, *, noise: float = 60.0) -> Episode:
    """One episode of random prototypes; nearest centroid is mostly right about it."""
    rng = np.random.default_rng(index)
    prototypes = rng.integers(60, 196, (WAYS, 8, 8, 1))

    def draw(labels: np.ndarray) -> list[np.ndarray]:
        noisy = prototypes[labels] + rng.normal(0.0, noise, (len(labels), 8, 8, 1))
        return list(np.clip(noisy, 0, 255).astype(np.uint8))

    support_y = np.repeat(np.arange(WAYS, dtype=np.int32), SHOTS)
    query_y = np.repeat(np.arange(WAYS, dtype=np.int32), QUERIES)
    count = len(support_y) + len(query_y)
    return Episode(
        index=index,
        support_x=draw(support_y),
        support_y=support_y,
        query_x=draw(query_y),
        query_y=query_y,
        class_names=[f"class {index}-{label}" for label in range(WAYS)],
        example_ids=[f"{index}/{number}" for number in range(count)],
    )


def write_episodes(
    directory: str | pathlib.Path, count: int, *, noise: float = 60.0, shards: int = 2
) -> str:
    """Writes a `test` split of `count` episodes and its record; returns the artifact's uri."""
    folder = pathlib.Path(directory) / "Split-test"
    folder.mkdir(parents=True)
    for shard in range(shards):
        path = str(folder / f"episodes-{shard:05d}-of-{shards:05d}.gz")
        with tf.io.TFRecordWriter(path, "GZIP") as writer:
            for index in range(shard, count, shards):
                writer.write(encode_episode(episode(index, noise=noise), SPEC))
    write_record(
        str(directory),
        EpisodeSetRecord(
            format_version=FORMAT_VERSION,
            example_spec=SPEC,
            ways=WAYS,
            shots=SHOTS,
            queries=QUERIES,
            counts={"train": 0, "eval": 0, "test": count},
            seed=1,
            splits={"train": ["a"], "eval": ["b"], "test": ["c", "d", "e"]},
            groups={},
            config={"data": {"source": "made up"}, "episodes": {"ways": WAYS}},
        ),
    )
    return str(directory)
