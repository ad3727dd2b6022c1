"""Exports the model that the measurements serve, with the meta-initial weights.

Training would change neither shapes nor times, so the model is not trained.
"""

from pathlib import Path

import numpy as np

from benchmarks.serving.running import MODEL_NAME
from components.episodes.format import FORMAT_VERSION
from components.episodes.record import EpisodeSetRecord
from components.meta_trainer.build import assemble
from components.meta_trainer.export.saved_model import export
from components.meta_trainer.export.warmup import warmup_requests
from components.modalities.base import ExampleSpec
from serving.client.transport import Signature
from serving.saved_model import signatures as names
from serving.saved_model.warmup import write_warmup


def export_maml(folder: Path, *, ways: int = 5, seed: int = 0) -> Path:
    """Exports MAML over conv4-32 on 28 x 28 images with warm-up requests, as `make run` does.

    Returns `folder`.
    """
    record = EpisodeSetRecord(
        format_version=FORMAT_VERSION,
        example_spec=ExampleSpec("image", "uint8", (28, 28, 1), invert=True),
        ways=ways,
        shots=1,
        queries=5,
        counts={},
        seed=0,
        splits={},
        groups={},
        config={},
    )
    assembly = assemble(record, {"name": "maml", "backbone": {"name": "conv4", "filters": 32}})
    weights = assembly.learner.init(seed)
    export(assembly, weights, str(folder), {})
    episode = _random_episode((28, 28, 1), ways=ways, shots=1, queries=5, episodes=1, seed=seed)
    class_names = [f"class-{label}" for label in range(ways)]
    requests = list(warmup_requests(episode, class_names, assembly, weights))
    write_warmup(folder, MODEL_NAME, requests)
    return folder


def random_episode(
    signature: Signature, *, ways=5, shots=1, queries=25, episodes=1, seed=0
) -> dict[str, np.ndarray]:
    """Makes inputs of `serving_default` for a model of images, uint8 `[H, W, C]`."""
    shape = signature.inputs[names.SUPPORT_X].shape
    assert shape is not None and None not in shape[2:]
    return _random_episode(
        shape[2:], ways=ways, shots=shots, queries=queries, episodes=episodes, seed=seed
    )


def _random_episode(
    image, *, ways: int, shots: int, queries: int, episodes: int, seed: int
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.tile(np.repeat(np.arange(ways, dtype=np.int32), shots), (episodes, 1))
    return {
        names.SUPPORT_X: rng.integers(0, 256, (*labels.shape, *image), dtype=np.uint8),
        names.SUPPORT_Y: labels,
        names.QUERY_X: rng.integers(0, 256, (episodes, queries, *image), dtype=np.uint8),
    }
