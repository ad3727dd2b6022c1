"""The outer optimizers against Keras's, and how the configuration chooses one."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.learners.base import Learner, MetaOptimizer, ServingLimits, Traits
from components.meta_trainer.options import TrainingOptions
from components.meta_trainer.training import optimizer
from components.meta_trainer.training.schedule import scheduled
from components.meta_trainer.training.step import outer_optimizer
from components.options import build_options
from serving.errors import UserError

RATE = 0.05
KERAS = {
    # Keras adds epsilon before the correction: of no weight here, where gradients are large.
    "adam": lambda: tf.keras.optimizers.Adam(RATE, epsilon=1e-8),
    "adamw": lambda: tf.keras.optimizers.AdamW(RATE, weight_decay=0.01, epsilon=1e-8),
    "sgd": lambda: tf.keras.optimizers.SGD(RATE),
    "momentum": lambda: tf.keras.optimizers.SGD(RATE, momentum=0.9),
}


@pytest.mark.parametrize("name", sorted(optimizer.UPDATES))
def test_five_steps_are_those_of_keras(name):
    rng = np.random.default_rng(0)
    weights = {
        "body": {"kernel": tf.constant(rng.standard_normal((3, 2)), tf.float32)},
        "head": {"bias": tf.constant(rng.standard_normal(2), tf.float32)},
    }
    variables = [tf.Variable(w) for w in tf.nest.flatten(weights)]
    keras, moments = KERAS[name](), optimizer.init(weights)
    for step in range(1, 6):
        gradients = tf.nest.map_structure(
            lambda w: tf.constant(rng.standard_normal(w.shape), tf.float32), weights
        )
        keras.apply_gradients(zip(tf.nest.flatten(gradients), variables))
        weights, moments = optimizer.UPDATES[name](
            weights, gradients, moments, step=tf.constant(float(step)), rate=tf.constant(RATE)
        )
    for found, expected in zip(tf.nest.flatten(weights), variables):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def learner_of(meta_optimizer: MetaOptimizer) -> Learner:
    traits = Traits(ServingLimits("", "", ""), meta_optimizer=meta_optimizer)
    return Learner(*[None] * 6, traits)  # type: ignore[arg-type]


def test_the_learners_own_optimizer_unless_configured():
    paper = MetaOptimizer(learning_rate=1.0, schedule="linear", optimizer="sgd")
    assert outer_optimizer(learner_of(paper), TrainingOptions()) == paper
    values = {"optimizer": "adamw", "meta_learning_rate": 0.01}
    chosen = outer_optimizer(learner_of(paper), build_options(TrainingOptions, values, "training"))
    assert chosen == MetaOptimizer(0.01, "linear", None, "adamw")


def test_an_optimizer_without_its_learning_rate_is_a_mistake():
    with pytest.raises(UserError, match=r"`training.meta_learning_rate` must be set where"):
        build_options(TrainingOptions, {"optimizer": "sgd"}, "training")
    with pytest.raises(UserError, match=r"`training.optimizer`.*'lion'"):
        build_options(TrainingOptions, {"optimizer": "lion", "meta_learning_rate": 0.1}, "training")


def test_gradients_are_clipped_by_their_global_norm():
    gradients = {"body": {"w": tf.constant([3.0])}, "head": {"b": tf.constant([4.0])}}
    clipped = optimizer.clip(gradients, 1.0)
    np.testing.assert_allclose(clipped["body"]["w"], [0.6], rtol=1e-6)
    np.testing.assert_allclose(clipped["head"]["b"], [0.8], rtol=1e-6)
    assert optimizer.clip(gradients, None) == gradients


@pytest.mark.parametrize(("name", "end"), [("constant", 1.0), ("linear", 0.0), ("cosine", 0.01)])
def test_schedules_begin_at_the_rate_and_end_where_they_say(name, end):
    np.testing.assert_allclose(scheduled(2.0, name, tf.constant(0.0)), 2.0)
    np.testing.assert_allclose(scheduled(2.0, name, tf.constant(1.0)), 2.0 * end, atol=1e-6)


def test_adams_epsilon_is_the_callers():
    """The benchmark of the meta-step gives every implementation the same one."""
    weights = {"w": tf.constant([1.0])}
    arguments = {"step": tf.constant(1.0), "rate": tf.constant(0.1)}
    new, _ = optimizer.adam(weights, weights, optimizer.init(weights), **arguments, epsilon=1e6)
    np.testing.assert_allclose(new["w"], [1.0], atol=1e-6)
