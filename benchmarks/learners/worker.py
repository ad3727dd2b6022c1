"""Measures one learner in a process of its own, and prints one line of JSON.

    python -m benchmarks.learners.worker PART NAME SECONDS

PART is "training" or "adaptation": the Trainer's process runs each operation on one core, a
server's does not.
"""

import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from components.episodes.format import FORMAT_VERSION
from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes
from components.meta_trainer.build import assemble
from components.meta_trainer.export.saved_model import export
from components.meta_trainer.options import TrainingOptions, learner_options
from components.meta_trainer.training.state import TrainingState
from components.meta_trainer.training.step import meta_step
from components.modalities.base import ExampleSpec
from components.single_threaded import use_single_threaded_operations
from serving.saved_model import signatures as names

WAYS, SHOTS, QUERIES, SIZE, FILTERS, EPISODES, STACKED = 5, 1, 3, 28, 32, 16, 8
LATE = 0.9
"""Share of meta-training that is done when it is timed: MAML++ takes second-order steps by then."""


def main(part: str, name: str, seconds: float) -> None:
    """Measures one part of one learner's cost."""
    print(json.dumps(PARTS[part](name, seconds)))


def training(name: str, seconds: float) -> dict[str, Any]:
    """Measures the Trainer's meta-step: seconds to compile, episodes a second, memory."""
    use_single_threaded_operations()
    assembly = assemble(record(), learner_section(name))
    episodes = random_episodes(np.random.default_rng(0), EPISODES)
    options = TrainingOptions(steps=10**6, episodes_per_step=EPISODES)
    state = TrainingState(assembly.learner.init(0))
    state.step.assign(int(LATE * options.steps))
    step = meta_step(assembly, options, state)
    started = time.perf_counter()
    float(step(episodes)[0])
    compiled = time.perf_counter() - started
    duration = median_seconds(lambda: float(step(episodes)[0]), seconds)
    return {
        "compile_seconds": round(compiled, 1),
        "episodes_per_second": round(EPISODES / duration, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def adaptation(name: str, seconds: float) -> dict[str, Any]:
    """Measures export in seconds; in milliseconds the signature `adapt`, and its floor."""
    assembly = assemble(record(), learner_section(name))
    rng, costs = np.random.default_rng(0), {}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        export(assembly, assembly.learner.init(0), f"{folder}/model", {})
        costs["export_seconds"] = round(time.perf_counter() - started, 1)
        model = tf.saved_model.load(f"{folder}/model")
    rate = matmul_rate()
    adapt = model.signatures[names.ADAPT]
    for key, count in (("adapt_ms", 1), ("adapt_ms_stacked", STACKED)):
        episodes = random_episodes(rng, count)
        inputs = {names.SUPPORT_X: episodes.support_x, names.SUPPORT_Y: episodes.support_y}
        duration = median_seconds(lambda inputs=inputs: adapt(**inputs), seconds / 2)
        costs[key] = round(1000 * duration / count, 2)
    costs["adapt_floor_ms"] = round(1000 * adaptation_flop(learner_section(name)) / rate, 2)
    costs["matmul_gflop_per_second"] = round(rate / 1e9, 1)
    return costs


PARTS = {"training": training, "adaptation": adaptation}


def learner_section(name: str) -> dict[str, Any]:
    """Makes the configuration's section `learner`."""
    return {"name": name, "backbone": {"name": "conv4", "filters": FILTERS}}


def adaptation_flop(section: dict[str, Any]) -> float:
    """Counts the floating-point operations of the matrix products that one adaptation needs.

    A gradient takes the forward product twice more (by kernel and by input; the first layer has no
    gradient by its input); the statistics of the adapted network take one more pass.
    """
    name, options = learner_options(section)
    steps = getattr(options, "test_steps", None)
    steps = getattr(options, "inner_steps", 0) if steps is None else steps
    layers, size, channels = [], SIZE, 1
    for _ in range(4):
        size = -(-size // 2)
        layers.append(2 * size * size * 9 * channels * FILTERS)
        channels = FILTERS
    forward, first = sum(layers), layers[0]
    body_steps = 0 if name == "anil" else steps
    flop = WAYS * SHOTS * (forward + body_steps * (3 * forward - first))
    if name == "meta_lstm":
        hidden = options.hidden
        coordinates = 9 * FILTERS * (1 + 3 * FILTERS) + FILTERS * (4 + WAYS) + WAYS
        flop += steps * coordinates * 2 * (4 * hidden * (4 + hidden) + 2 * (hidden + 2))
    return flop


def matmul_rate(size: int = 1024) -> float:
    """Measures float32 matrix products on all cores, in floating-point operations a second."""
    a = tf.random.normal([size, size])
    return 2 * size**3 / median_seconds(lambda: float(tf.matmul(a, a)[0, 0]), 1.0)


def median_seconds(call: Callable[[], Any], seconds: float) -> float:
    """Calls for that long, after one call that does not count; returns the median in seconds."""
    call()
    durations: list[float] = []
    end = time.perf_counter() + seconds
    while not durations or time.perf_counter() < end:
        before = time.perf_counter()
        call()
        durations.append(time.perf_counter() - before)
    return statistics.median(durations)


def random_episodes(rng: np.random.Generator, episodes: int) -> Episodes:
    """Makes episodes of random images, as stored."""

    def examples(per_class: int) -> tuple[tf.Tensor, tf.Tensor]:
        labels = np.tile(np.repeat(np.arange(WAYS, dtype=np.int32), per_class), (episodes, 1))
        images = rng.integers(0, 256, (*labels.shape, SIZE, SIZE, 1), dtype=np.uint8)
        return tf.constant(images), tf.constant(labels)

    return Episodes(*examples(SHOTS), *examples(QUERIES))


def record() -> EpisodeSetRecord:
    """Describes the episodes of this benchmark."""
    return EpisodeSetRecord(
        format_version=FORMAT_VERSION,
        example_spec=ExampleSpec("image", "uint8", (SIZE, SIZE, 1), invert=True),
        ways=WAYS,
        shots=SHOTS,
        queries=QUERIES,
        counts={},
        seed=0,
        splits={},
        groups={},
        config={},
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
