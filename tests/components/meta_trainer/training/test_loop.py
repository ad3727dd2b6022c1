"""The outer loop with a learner of one number: what is kept, when it stops and goes on.

What every real learner is held to is in `tests/conformance/test_learners_training.py`.
"""

import math

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes
from components.meta_trainer.build import Assembly, assemble
from components.meta_trainer.learners.base import (
    Learner,
    MetaGradients,
    ServingLimits,
    Traits,
)
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training.loop import MetaTrained, meta_train, restore
from components.meta_trainer.training.plateau import best_entry
from components.meta_trainer.training.state import TrainingState
from components.meta_trainer.training.step import share_done
from components.modalities.base import ExampleSpec
from components.tasks.classification import classification
from serving.errors import UserError

RECORD = EpisodeSetRecord(
    1, ExampleSpec("image", "uint8", (4, 4, 1)), 2, 1, 1, {}, 0, {}, {}, {"data": {}}
)
BEST_AT = 2.0


def one_number() -> Assembly:
    """`w` grows by the meta-rate each step; the score of episodes is best where `w` is 2."""
    real = assemble(RECORD, {"name": "protonet", "backbone": {"filters": 2, "blocks": 1}})

    def meta_gradients(weights, episodes, progress):
        return MetaGradients({"w": tf.constant(-1.0)}, weights["w"], weights["w"])

    learner = Learner(
        init=lambda seed: {"w": tf.constant(0.0)},
        adapt=lambda weights, support: {},
        predict=lambda weights, adapted, x: weights["w"] * tf.ones([tf.shape(x)[0], 1, 1]),
        meta_gradients=meta_gradients,
        path=None,
        network=real.learner.network,
        traits=Traits(ServingLimits("", "", "")),
    )
    task = classification()._replace(
        predict=lambda outputs, support_y: outputs,
        measure=lambda prediction, query_y: -np.square(prediction[:, 0, 0] - BEST_AT),
    )
    return real._replace(learner=learner, task=task)


def train(folder, *, steps: int = 30, pause_after=math.inf, **options) -> MetaTrained:
    x, y = tf.zeros([4, 2, 4, 4, 1], tf.uint8), tf.tile([[0, 1]], [4, 1])
    episodes = tf.data.Dataset.from_tensor_slices(Episodes(x, y, x, y))
    values = {
        "eval_every": 10,
        "checkpoint_every": 10,
        "meta_learning_rate": 0.1,
        "jit_compile": False,
    }
    return meta_train(
        one_number(),
        TrainingOptions(steps=steps, **values | options),
        training=lambda step: episodes.repeat().batch(4),
        validation=episodes.batch(2),
        checkpoint_dir=str(folder / "checkpoints"),
        log_dir=str(folder / "logs"),
        pause_after=pause_after,
    )


def test_the_best_weights_are_kept_not_the_last(tmp_path):
    trained = train(tmp_path)
    scores = {entry["step"]: entry["eval_score"] for entry in trained.history}
    assert max(scores, key=lambda step: scores[step]) == 20 and scores[30] < scores[20]
    np.testing.assert_allclose(trained.weights["w"], BEST_AT, atol=0.01)


def test_the_best_weights_are_kept_over_a_restart(tmp_path):
    train(tmp_path, steps=20)
    trained = train(tmp_path, steps=40)
    assert trained.steps == 40
    np.testing.assert_allclose(trained.weights["w"], BEST_AT, atol=0.01)


def test_a_resumed_run_says_so(tmp_path, capfd):
    train(tmp_path, steps=10)
    assert "goes on" not in capfd.readouterr().err
    train(tmp_path, steps=20)
    assert "goes on from step 10" in capfd.readouterr().err


def test_a_finished_run_is_not_trained_again(tmp_path):
    first = train(tmp_path)
    again = train(tmp_path)
    assert again.history == first.history and again.seconds == first.seconds
    assert float(again.weights["w"]) == float(first.weights["w"])


def test_it_stops_when_the_time_is_up_evaluated_and_saved(tmp_path, capfd):
    trained = train(tmp_path, steps=10**6, max_seconds=1e-6)
    assert trained.steps == 1
    assert [entry["step"] for entry in trained.history] == [1]
    train(tmp_path, steps=2)
    assert "goes on from step 1" in capfd.readouterr().err


@pytest.mark.parametrize("limit", ["max_seconds", "pause_after"])
def test_a_run_whose_time_is_up_takes_no_further_step(tmp_path, limit):
    first = train(tmp_path, steps=10**6, **{limit: 1e-6})
    again = train(tmp_path, steps=10**6, **{limit: 1e-6})
    assert again.steps == first.steps == 1 and again.history == first.history


def test_a_pause_is_gone_on_with(tmp_path):
    assert train(tmp_path, pause_after=1e-6).steps == 1
    assert train(tmp_path).steps == 30


@pytest.mark.parametrize(
    ("step", "seconds", "max_seconds", "share"),
    [(5, 90.0, None, 0.5), (5, 30.0, 100.0, 0.5), (5, 80.0, 100.0, 0.8), (5, 101.0, 100.0, 1.0)],
)
def test_schedules_go_by_steps_or_by_time_whichever_is_further(step, seconds, max_seconds, share):
    state = TrainingState({"w": tf.constant(0.0)})
    state.step.assign(step)
    state.seconds.assign(seconds)
    options = TrainingOptions(steps=10, max_seconds=max_seconds)
    np.testing.assert_allclose(share_done(state, options), share, rtol=1e-6)


def test_checkpoints_of_flat_weights_are_not_resumed(tmp_path, capfd):
    """Those of versions before weights were nested: half of a state would be worse than none."""
    old = tf.train.Checkpoint(state=tf.train.Checkpoint(step=tf.Variable(7, dtype=tf.int64)))
    tf.train.CheckpointManager(old, str(tmp_path / "checkpoints"), max_to_keep=2).save(7)
    assert [entry["step"] for entry in train(tmp_path, steps=10).history] == [10]
    assert "goes on" not in capfd.readouterr().err


@pytest.mark.parametrize("steps", [1, 7, 10])
def test_the_last_step_is_always_evaluated(tmp_path, steps):
    assert train(tmp_path, steps=steps).history[-1]["step"] == steps


def test_it_ends_at_a_plateau_and_a_restart_does_not_go_on(tmp_path, capfd):
    """The score is best at step 20: the first of two evaluations without a rise is that of 30."""
    plateau = {"steps": 10**6, "until": "plateau", "patience": 2, "rate_drops": 0}
    first = train(tmp_path, **plateau)
    assert first.steps == 40 and "ends at step 40" in capfd.readouterr().err
    np.testing.assert_allclose(first.weights["w"], BEST_AT, atol=0.01)
    assert train(tmp_path, **plateau).history == first.history


@pytest.mark.parametrize("pause", [10, 40, 50])
def test_a_plateau_lowers_the_rate_before_another_ends_it(tmp_path, capfd, pause):
    """Also where meta-training stopped in between: `w` grows by 0.1 a step, then from 2 by 0.01."""
    plateau = {"until": "plateau", "patience": 2, "rate_drops": 1}
    train(tmp_path, steps=pause, **plateau)
    trained = train(tmp_path, steps=10**6, **plateau)
    assert "ends at step 70" in capfd.readouterr().err
    scores = [entry["eval_score"] for entry in trained.history]
    found = BEST_AT + np.sqrt(-np.array(scores[1:]))
    np.testing.assert_allclose(found, [2.0, 3.0, 4.0, 2.1, 2.2, 2.3], atol=0.02)
    np.testing.assert_allclose(trained.weights["w"], BEST_AT, atol=0.01)  # 2.1 is worse
    assert best_entry(trained.history, TrainingOptions(**plateau))["step"] == 20


def test_patience_counts_over_a_restart(tmp_path):
    plateau = {"until": "plateau", "patience": 2, "rate_drops": 0}
    train(tmp_path, steps=30, **plateau)
    assert train(tmp_path, steps=10**6, **plateau).steps == 40


def test_a_checkpoint_of_another_head_is_refused_in_a_sentence(tmp_path):
    body = {"body": {"kernel": tf.ones([2])}}
    restore(TrainingState(body | {"head": {"kernel": tf.ones([2, 5])}}), str(tmp_path)).save()
    with pytest.raises(UserError, match=r"'head_kernel' is \[2, 5\] there and missing here"):
        restore(TrainingState(body), str(tmp_path))
