"""What is served in the measurements: a real export, with the meta-initial weights.

Training changes no shape and no time, so none is done.
"""

from pathlib import Path

import numpy as np

from components.episodes.record import EpisodeSetRecord
from components.meta_trainer.build import assemble
from components.meta_trainer.export import export
from components.modalities.base import ExampleSpec
from serving import signatures as names
from serving.client.transport import Signature


def export_maml(folder: Path, *, ways: int = 5, seed: int = 0) -> Path:
    """MAML over conv4 on 28 x 28 images, as `make run` trains it; returns `folder`."""
    record = EpisodeSetRecord(
        format_version=1,
        example_spec=ExampleSpec("image", "uint8", (28, 28, 1)),
        ways=ways,
        shots=1,
        queries=5,
        counts={},
        seed=0,
        splits={},
        groups={},
        config={"data": {"invert": True}},
    )
    assembly = assemble(record, {"name": "maml"})
    export(assembly, assembly.learner.init(seed), str(folder), {})
    return folder


def random_episode(
    signature: Signature, *, ways=5, shots=1, queries=25, episodes=1, seed=0
) -> dict[str, np.ndarray]:
    """Inputs of `serving_default` for a model of images, uint8 `[H, W, C]`."""
    rng = np.random.default_rng(seed)
    shape = signature.inputs[names.SUPPORT_X].shape
    assert shape is not None and None not in shape[2:]
    labels = np.tile(np.repeat(np.arange(ways, dtype=np.int32), shots), (episodes, 1))
    image = shape[2:]
    return {
        names.SUPPORT_X: rng.integers(0, 256, (*labels.shape, *image), dtype=np.uint8),
        names.SUPPORT_Y: labels,
        names.QUERY_X: rng.integers(0, 256, (episodes, queries, *image), dtype=np.uint8),
    }
