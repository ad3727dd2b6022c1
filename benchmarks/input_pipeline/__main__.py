"""Episodes a second from disk to the trainer, with the trainer off, and how long it waits for them.

    python -m benchmarks.input_pipeline [--episodes 10000] [--seconds 5] [--record]

The shapes of `make run`: glyphs, 5-way 1-shot, 3 queries a class, 16 episodes a meta-step. "first
use" reads, unpacks and parses the files; afterwards episodes come from memory and are augmented
anew each time. Then a short meta-training of MAML (conv4-32) measures the trainer's own rate, and
the share of its time that it waits for episodes. Result file: `input_pipeline.json`.
"""

import argparse
import json
import tempfile
import time
from typing import Any

import apache_beam as beam

from benchmarks.input_pipeline.table import table
from benchmarks.reporting import about, add_record_option, hide_notices, report
from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import EpisodeGenConfig
from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import EpisodeSetRecord
from components.meta_trainer.build import assemble
from components.meta_trainer.options import AugmentOptions, TrainingOptions
from components.meta_trainer.training.input_pipeline import fixed_episodes, training_episodes
from components.meta_trainer.training.loop import meta_train

STACK = 16
LEARNER = {"name": "maml", "backbone": {"name": "conv4", "filters": 32}}
AUGMENTED = {
    "as stored": AugmentOptions(regroup=False),
    "regroup": AugmentOptions(),
    "regroup, rotate": AugmentOptions(rotate=True),
    "regroup, rotate, mirror, affine": AugmentOptions(rotate=True, mirror=True, affine=0.2),
}


def main() -> None:
    """Runs the benchmark as its command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of each measurement")
    add_record_option(parser)
    arguments = parser.parse_args()
    result: dict[str, Any] = about()
    with tempfile.TemporaryDirectory() as uri:
        record = generate(uri, arguments.episodes)
        result["configuration"] = record.config | {"stack": STACK}
        result["first_use"] = first_use_rate(uri, record)
        result["augmented"] = {
            name: augmented_rate(uri, record, options, arguments.seconds)
            for name, options in AUGMENTED.items()
        }
        result["meta_training"] = trainer_rate(uri, record, arguments.seconds)
    rate = result["meta_training"]["episodes_per_second"]
    result["times_the_trainers_rate"] = round(result["augmented"]["regroup, rotate"] / rate, 1)
    report("input_pipeline", result, arguments.results, table)


def generate(uri: str, episodes: int) -> EpisodeSetRecord:
    """Generates the episodes of the benchmark into the folder `uri`."""
    config = {
        "data": {"source": "glyphs", "invert": True},
        "episodes": {
            "queries": 3,
            "counts": {"train": episodes, "eval": 100, "test": 0},
        },
    }
    return generate_episodes(
        EpisodeGenConfig.from_json(json.dumps(config)),
        uri=uri,
        work=f"{uri}/.work",
        make_pipeline=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"]),
    )


def first_use_rate(uri: str, record: EpisodeSetRecord) -> float:
    """Measures episodes a second, read from the files and parsed."""
    stacks = (
        read_split(uri, "train")
        .batch(STACK)
        .map(lambda serialized: parse_episodes(serialized, record.example_spec))
    )
    started = time.perf_counter()
    count = sum(len(stack.support_y) for stack in stacks)
    return round(count / (time.perf_counter() - started), 1)


def augmented_rate(
    uri: str, record: EpisodeSetRecord, augment: AugmentOptions, seconds: float
) -> float:
    """Measures episodes a second once all are in memory."""
    options = TrainingOptions(episodes_per_step=STACK, augment=augment)
    stacks = iter(training_episodes(uri, record, options))
    for _ in range(record.counts["train"] // STACK + 1):
        next(stacks)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        next(stacks)
        count += STACK
    return round(count / (time.perf_counter() - started), 1)


def trainer_rate(uri: str, record: EpisodeSetRecord, seconds: float) -> dict[str, float]:
    """Measures the trainer's rate and wait, after compiling and the first use of the files."""
    options = TrainingOptions(
        steps=10**6,
        episodes_per_step=STACK,
        eval_every=20,
        eval_episodes=100,
        max_seconds=30 + 4 * seconds,
        augment=AugmentOptions(rotate=True),
    )
    with tempfile.TemporaryDirectory() as folder:
        outcome = meta_train(
            assemble(record, LEARNER),
            options,
            training=lambda start_step: training_episodes(uri, record, options, start_step),
            validation=fixed_episodes(uri, record, split="eval", count=100, stack=50),
            checkpoint_dir=f"{folder}/checkpoints",
            log_dir=f"{folder}/logs",
        )
    # The first interval compiles; each later one ends with a validation, which is left out.
    entries = outcome.history[len(outcome.history) // 3 :]
    waits = [entry["wait_share"] for entry in entries]
    steps = entries[-1]["step"] - entries[0]["step"]
    elapsed = entries[-1]["seconds"] - entries[0]["seconds"]
    return {
        "episodes_per_second": round(steps * STACK / elapsed, 1),
        "wait_share": round(sum(waits) / len(waits), 4),
    }


if __name__ == "__main__":
    hide_notices()
    main()
