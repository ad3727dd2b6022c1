"""Every learner x every promise of meta-training: it learns, repeats, and goes on when killed."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes
from components.meta_trainer import learners
from components.meta_trainer.build import assemble
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training.loop import MetaTrained, meta_train
from components.meta_trainer.types import by_joined_name
from components.modalities.base import ExampleSpec

WAYS, SIZE, STEPS = 3, 8, 40
RECORD = EpisodeSetRecord(
    1, ExampleSpec("image", "uint8", (SIZE, SIZE, 1)), WAYS, 1, 2, {}, 0, {}, {}, {"data": {}}
)
# Two steps show what many do, and are traced in a fraction of the time.
FEWER_STEPS = {
    "reptile": {"inner_steps": 3, "test_steps": 3, "inner_learning_rate": 0.1},
    "meta_lstm": {"inner_steps": 2},
    "maml_plus_plus": {"inner_steps": 2},
    "anil": {"inner_steps": 2},
}


def episodes(count: int, seed: int) -> Episodes:
    """Classes are bright columns under noise, easily told apart once learned."""
    rng = np.random.default_rng(seed)
    columns = np.stack([rng.permutation(SIZE)[:WAYS] for _ in range(count)])

    def images(per_class: int):
        y = np.tile(np.repeat(np.arange(WAYS), per_class), (count, 1))
        x = rng.integers(0, 60, (count, WAYS * per_class, SIZE, SIZE, 1))
        column = np.take_along_axis(columns, y, axis=1)
        x += 180 * (np.arange(SIZE)[None, None, :] == column[..., None])[..., None, None]
        return tf.constant(x, tf.uint8), tf.constant(y, tf.int32)

    return Episodes(*images(1), *images(2))


def train(name: str, folder: Path, training: Callable[[int], tf.data.Dataset]) -> MetaTrained:
    section = {"name": name, "backbone": {"filters": 8, "blocks": 1}}
    assembly = assemble(RECORD, section | FEWER_STEPS.get(name, {}))
    # Ten times the papers' rates: the problem is small, and so is a test's patience.
    rate = min(1.0, 10 * assembly.learner.traits.meta_optimizer.learning_rate)
    return meta_train(
        assembly,
        TrainingOptions(
            steps=STEPS,
            meta_learning_rate=rate,
            eval_every=10,
            checkpoint_every=10,
            jit_compile=False,
        ),
        training=training,
        validation=tf.data.Dataset.from_tensor_slices(episodes(32, 999)).batch(32),
        checkpoint_dir=str(folder / "checkpoints"),
        log_dir=str(folder / "logs"),
    )


class Runs(NamedTuple):
    """One run from start to end, and the same killed in between and started again."""

    whole: MetaTrained
    resumed: MetaTrained


@pytest.fixture(scope="module", params=sorted(learners.TABLE))
def runs(request, tmp_path_factory) -> Runs:
    stacks = tf.data.Dataset.from_tensor_slices(episodes(256, 0)).repeat().batch(8)
    folder = tmp_path_factory.mktemp(request.param)
    whole = train(request.param, folder / "whole", stacks.skip)
    with pytest.raises(StopIteration):  # as if killed at step 25, five after the last checkpoint
        train(request.param, folder / "killed", lambda step: stacks.take(25))
    return Runs(whole, train(request.param, folder / "killed", stacks.skip))


def test_the_loss_falls(runs):
    losses = [entry["loss"] for entry in runs.whole.history]
    assert losses[-1] < 0.9 * losses[0]


def test_seeded_runs_repeat(runs):
    """The killed run had the same seed: its first evaluations came to the same numbers."""
    for one, same in zip(runs.whole.history[:2], runs.resumed.history[:2]):
        for name in ("step", "loss", "score", "eval_score"):
            assert one[name] == pytest.approx(same[name], abs=1e-5)


def test_a_killed_run_goes_on_as_if_it_had_not_been(runs):
    """Weights, moments, step and history are all restored: the same stacks lead to the same end."""
    assert runs.resumed.steps == STEPS
    assert [entry["step"] for entry in runs.resumed.history] == [10, 20, 30, 40]
    assert runs.resumed.history[-1]["loss"] == pytest.approx(runs.whole.history[-1]["loss"], 1e-3)
    resumed = by_joined_name(runs.resumed.weights)
    for name, weight in by_joined_name(runs.whole.weights).items():
        np.testing.assert_allclose(resumed[name], weight, atol=1e-3)
