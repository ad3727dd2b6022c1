"""The networks of the shipped configuration for natural images, and the worker that times one.

    python -m benchmarks.natural_images.networks NAME STEPS

The worker takes the Trainer's meta-steps with the configuration's sections, on random pictures, and
prints one line of JSON.
"""

import json
import resource
import statistics
import sys
import time
from typing import Any

import numpy as np

from benchmarks.reporting import ROOT

CONFIGURATION = ROOT / "pipeline" / "configs" / "natural_images_5w1s_maml.yaml"
NETWORKS = {
    "conv4-32": (),
    "conv4-64": ("learner.backbone.filters=64",),
    "ResNet-12, 16 filters": ("learner.backbone={name: resnet12, filters: 16}",),
    "ResNet-12, 64 filters": ("learner.backbone={name: resnet12, filters: 64}",),
}
"""Title in the table -> changes of the configuration."""


def measure(name: str, steps: int) -> dict[str, Any]:
    """Measures a network's meta-step: seconds to compile and of the median step, memory."""
    from components.meta_trainer.build import assemble_for
    from components.meta_trainer.training.state import TrainingState
    from components.meta_trainer.training.step import meta_step
    from components.modalities.base import ExampleSpec
    from components.single_threaded import use_single_threaded_operations
    from pipeline.config import load_config

    use_single_threaded_operations()
    config = load_config(CONFIGURATION, NETWORKS[name])
    size = config.data.image_size
    spec = ExampleSpec("image", "uint8", (size, size, config.data.image_channels))
    assembly = assemble_for(spec, config.episodes.ways, config.learner)
    state = TrainingState(assembly.learner.init(0))
    step = meta_step(assembly, config.training, state)
    episodes = _random_episodes(config, spec.shape)
    durations = []
    for _ in range(1 + steps):
        started = time.perf_counter()
        float(step(episodes)[0])
        durations.append(time.perf_counter() - started)
    return {
        "tasks": config.training.episodes_per_step,
        "steps": steps,
        "first_step_seconds": round(durations[0], 1),
        "step_seconds": round(statistics.median(durations[1:]), 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _random_episodes(config: Any, shape: tuple[int | None, ...]) -> Any:
    import tensorflow as tf

    from components.episodes.types import Episodes

    rng = np.random.default_rng(0)
    ways = np.arange(config.episodes.ways, dtype=np.int32)

    def examples(per_class: int) -> tuple[Any, Any]:
        labels = np.tile(np.repeat(ways, per_class), (config.training.episodes_per_step, 1))
        pictures = rng.integers(0, 256, (*labels.shape, *shape), dtype=np.uint8)
        return tf.constant(pictures), tf.constant(labels)

    return Episodes(*examples(config.episodes.shots), *examples(config.episodes.queries))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
