"""Training and evaluation of one entry by the project's own steps: episodes, training, export."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
import tensorflow as tf

from benchmarks.omniglot.entries import TABLE
from benchmarks.omniglot.entry import DATA, Entry, Test, evaluation_episodes
from components.episode_gen.generate import generate_episodes
from components.episode_gen.options import EpisodeGenConfig
from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import EpisodeSetRecord, read_record
from components.episodes.scoring import score_episodes
from components.episodes.types import Episodes
from components.few_shot_evaluator.metrics import Interval, mean_interval
from components.few_shot_evaluator.model import ExportedModel
from components.meta_trainer.build import Assembly, assemble
from components.meta_trainer.export.saved_model import export
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training.input_pipeline import fixed_episodes, training_episodes
from components.meta_trainer.training.loop import MetaTrained, meta_train
from components.meta_trainer.training.start import initial_weights
from components.options import build_options
from serving import atomic

EXAMPLES_A_CALL = 400
"""Examples, support and query together, in one call of the exported model: bounds its memory."""


class Trained(NamedTuple):
    """An entry after meta-training: its learner, its episodes and its weights."""

    assembly: Assembly
    record: EpisodeSetRecord
    outcome: MetaTrained


def train(name: str, entry: Entry, work: Path, seconds: float) -> Trained:
    """Meta-trains for up to `seconds`, from the last checkpoint on.

    Args:
      name: name of the entry.
      entry: its configuration.
      work: folder of episodes and checkpoints.
      seconds: limit of this call; 0 takes no step but the very first.
    """
    uri = episodes(entry.episodes, work)
    record = read_record(uri)
    checkpoints = checkpoint_dir(name, entry, work)
    options = build_options(TrainingOptions, entry.training, "training")
    assembly = assemble(record, entry.learner)
    if entry.starts_from:
        before = weights_of(entry.starts_from, assembly, work)
        assembly = assembly._replace(learner=assembly.learner._replace(init=lambda seed: before))
    outcome = meta_train(
        assembly,
        options,
        training=lambda start_step: training_episodes(uri, record, options, start_step),
        validation=fixed_episodes(uri, record, split="eval", count=options.eval_episodes, stack=5),
        checkpoint_dir=checkpoints,
        log_dir=str(work / "logs" / name),
        pause_after=seconds_spent(checkpoints) + seconds,
    )
    return Trained(assembly, record, outcome)


def checkpoint_dir(name: str, entry: Entry, work: Path) -> str:
    """Names the folder of checkpoints by a hash of the configuration and of what it starts from."""
    parts: list[Any] = [entry.learner, entry.training, entry.episodes]
    if entry.starts_from:
        first = checkpoint_dir(entry.starts_from, TABLE[entry.starts_from], work)
        parts.append(Path(first).name)
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]
    return str(work / "checkpoints" / f"{name}-{key}")


def weights_of(name: str, assembly: Assembly, work: Path) -> dict[str, Any]:
    """Returns initial weights: a finished entry's where names and shapes are the same."""
    before = finished(name, work)
    with tempfile.TemporaryDirectory() as folder:
        write_model(before, folder)
        return initial_weights(assembly, 0, folder)[0]


def finished(name: str, work: Path) -> Trained:
    """Returns an entry whose schedule is done."""
    entry = TABLE[name]
    if steps_done(checkpoint_dir(name, entry, work)) < entry.training["steps"]:
        raise SystemExit(f"Train `{name}` to its end first: `--only {name}`.")
    return train(name, entry, work, seconds=0)


def evaluate(
    trained: Trained, tests: tuple[Test, ...], work: Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the accuracy of the exported model over the episodes of each test."""
    with exported(trained) as model:
        for test in tests:
            uri = episodes(evaluation_episodes(test), work)
            if read_record(uri).splits_hash != trained.record.splits_hash:
                raise SystemExit("The test splits the classes differently than training did.")
            accuracy, half_width = score(model, uri, test)
            print(f"{test.task}: {accuracy:.4f} ± {half_width:.4f}", flush=True)
            yield (
                test.task,
                {
                    "accuracy": round(accuracy, 5),
                    "ci95": round(half_width, 5),
                    "episodes": read_record(uri).counts["test"],
                    "queries": test.queries,
                    "rotations": test.rotations,
                },
            )


def write_model(trained: Trained, folder: str | Path) -> None:
    """Writes the SavedModel into the folder."""
    export(trained.assembly, trained.outcome.weights, str(folder), {})


@contextlib.contextmanager
def exported(trained: Trained) -> Iterator[ExportedModel]:
    """Exports the model, and loads it as the evaluator does."""
    with tempfile.TemporaryDirectory() as folder:
        write_model(trained, f"{folder}/model")
        yield ExportedModel(f"{folder}/model", trained.assembly.task)


def score(model: ExportedModel, uri: str, test: Test) -> Interval:
    """Computes the mean accuracy over the split `test`."""
    return mean_interval(score_episodes(model.predict, stacks(uri, test), model.task))


def stacks(uri: str, test: Test) -> Iterator[Episodes]:
    """Yields the episodes of the split `test`, stacked."""
    spec = read_record(uri).example_spec
    stack = max(1, EXAMPLES_A_CALL // (test.ways * (test.shots + test.queries)))
    for serialized in read_split(uri, "test").batch(stack):
        yield parse_episodes(serialized, spec).numpy()


def episodes(section: dict[str, Any], work: Path) -> str:
    """Returns the location of these episodes; EpisodeGen generates them at the first call."""
    config = EpisodeGenConfig.from_json(json.dumps({"data": DATA, "episodes": section}))
    key = hashlib.sha256(config.to_json().encode()).hexdigest()[:12]
    uri = work / "episodes" / key
    if not uri.exists():
        with atomic.replacement(uri) as temporary:
            generate_episodes(
                config,
                uri=temporary,
                work=f"{temporary}/.work",
                make_pipeline=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"]),
            )
    return str(uri)


def seconds_spent(checkpoints: str) -> float:
    """Reads the seconds of meta-training from the last checkpoint."""
    return _read_state(checkpoints, "seconds")


def steps_done(checkpoints: str) -> int:
    """Reads the steps of meta-training from the last checkpoint."""
    return int(_read_state(checkpoints, "step"))


def _read_state(checkpoints: str, name: str) -> float:
    latest = tf.train.latest_checkpoint(checkpoints)
    if latest is None:
        return 0.0
    return float(tf.train.load_variable(latest, f"training/{name}/.ATTRIBUTES/VARIABLE_VALUE"))
