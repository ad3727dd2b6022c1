"""The outer loop: the loss falls, runs repeat, and a stopped run goes on from its checkpoint."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.meta_trainer import learners
from components.meta_trainer.build import assemble
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training_loop import meta_train
from components.meta_trainer.types import Episodes
from components.modalities.base import ExampleSpec

WAYS, SIZE = 3, 8
RECORD = EpisodeSetRecord(
    1, ExampleSpec("image", "uint8", (SIZE, SIZE, 1)), WAYS, 1, 2, {}, 0, {}, {}, {"data": {}}
)


def episodes(count: int, seed: int) -> Episodes:
    """Classes are bright rows or columns under noise, easily told apart once learned."""
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.permutation(SIZE)[:WAYS] for _ in range(count)])

    def images(per_class: int):
        y = np.tile(np.repeat(np.arange(WAYS), per_class), (count, 1))
        x = rng.integers(0, 60, (count, WAYS * per_class, SIZE, SIZE, 1))
        row = np.take_along_axis(rows, y, axis=1)
        x += 180 * (np.arange(SIZE)[None, None, :] == row[..., None])[..., None, None]
        return tf.constant(x, tf.uint8), tf.constant(y, tf.int32)

    return Episodes(*images(1), *images(2))


def stacks(seed: int, size: int = 8) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(episodes(256, seed)).repeat().batch(size)


# Two steps show what many do, and are traced in a fraction of the time.
FEWER_STEPS = {
    "reptile": {"inner_steps": 3, "test_steps": 3, "inner_rate": 0.01},
    "meta_lstm": {"inner_steps": 2},
    "maml_plus_plus": {"inner_steps": 2},
}


def train(name: str, folder, *, steps: int, **options):
    section = {"name": name, "backbone": {"filters": 8, "blocks": 1}}
    assembly = assemble(RECORD, section | FEWER_STEPS.get(name, {}))
    return meta_train(
        assembly,
        TrainingOptions(
            steps=steps, eval_every=10, checkpoint_every=10, jit_compile=False, **options
        ),
        training=lambda step: stacks(step),
        validation=tf.data.Dataset.from_tensor_slices(episodes(32, 999)).batch(16),
        checkpoint_dir=str(folder / "checkpoints"),
        log_dir=str(folder / "logs"),
    )


@pytest.mark.parametrize("name", sorted(learners.TABLE))
def test_the_loss_falls(name, tmp_path):
    # Adam at ten times the papers' rate: the problem is small, and so is the patience of a test.
    trained = train(name, tmp_path, steps=40, meta_rate=1e-2)
    assert trained.history[-1]["loss"] < 0.9 * trained.history[0]["loss"]


def test_seeded_runs_repeat(tmp_path):
    one, two = (train("maml", tmp_path / name, steps=10) for name in ("one", "two"))
    for name, weight in one.weights.items():
        np.testing.assert_allclose(weight, two.weights[name], atol=1e-6)


@pytest.mark.parametrize("name", ["maml", "meta_lstm", "protonet"])
def test_a_stopped_run_goes_on(name, tmp_path, capfd):
    train(name, tmp_path, steps=10)
    resumed = train(name, tmp_path, steps=20)
    assert "goes on from step 10" in capfd.readouterr().err
    assert resumed.steps == 20
    assert [entry["step"] for entry in resumed.history] == [10, 20]


def test_a_finished_run_is_not_trained_again(tmp_path):
    first = train("protonet", tmp_path, steps=10)
    again = train("protonet", tmp_path, steps=10)
    assert again.history == first.history


def test_the_best_weights_are_kept(tmp_path):
    trained = train("protonet", tmp_path, steps=30, meta_rate=1e-2)
    assert max(entry["eval_score"] for entry in trained.history) > 1 / WAYS
    assert trained.seconds > 0
