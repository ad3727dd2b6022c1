"""MAML's meta-gradient: by hand, by finite differences, and its limits."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.learners.maml import MamlOptions, maml
from components.meta_trainer.types import by_joined_name
from components.tasks.classification import classification
from components.tasks.regression import regression

ALPHA = 0.1
PROGRESS = tf.constant(0.0)


def scalar_weights(w: float) -> dict:
    head = {"kernel": tf.constant([[w]], tf.float64), "bias": tf.constant([0.0], tf.float64)}
    return {"body": {}, "head": head}


@pytest.mark.parametrize("w", [0.7, -1.3])
@pytest.mark.parametrize("first_order", [False, True])
def test_meta_gradient_by_hand(scalar_network, scalar_episode, w, first_order):
    """L_S = (2w + b - 1)^2 at b = 0, w' = w - a 4(2w - 1), b' = -a 2(2w - 1),
    L_Q = (3w' + b' - 5)^2.

    dL_Q/dw = 2(3w' + b' - 5) (3 dw'/dw + db'/dw): 3(1 - 8a) - 4a, or 3 to first order.
    """
    options = MamlOptions(inner_learning_rate=ALPHA, learn_rates=False, first_order=first_order)
    learner = maml(options, scalar_network, regression())
    found = learner.meta_gradients(scalar_weights(w), scalar_episode, PROGRESS)
    error = query_error(w)
    slope = 3.0 if first_order else 3 * (1 - 8 * ALPHA) - 4 * ALPHA
    np.testing.assert_allclose(found.loss, error**2, rtol=1e-12)
    gradient = found.gradients["head"]["kernel"].numpy().item()
    np.testing.assert_allclose(gradient, 2 * error * slope, rtol=1e-12)


def query_error(w: float) -> float:
    """3w' + b' - 5."""
    adapted, bias = w - ALPHA * 4 * (2 * w - 1), -ALPHA * 2 * (2 * w - 1)
    return 3 * adapted + bias - 5


def test_gradient_of_the_learned_rate_by_hand(scalar_network, scalar_episode):
    """dL_Q/da = 2(3w' + b' - 5) * 3 * -4(2w - 1), a the rate of the kernel alone."""
    w = 0.7
    learner = maml(MamlOptions(inner_learning_rate=ALPHA), scalar_network, regression())
    rates = {name: tf.constant(ALPHA, tf.float64) for name in ("kernel", "bias")}
    weights = scalar_weights(w) | {"rates": {"body": {}, "head": rates}}
    found = learner.meta_gradients(weights, scalar_episode, PROGRESS)
    expected = 6 * query_error(w) * -4 * (2 * w - 1)
    np.testing.assert_allclose(found.gradients["rates"]["head"]["kernel"], expected, rtol=1e-12)


@pytest.mark.parametrize("mode", ["support", "task_norm", "transductive", "none"])
@pytest.mark.parametrize("downsample", ["stride", "max_pool"])
def test_meta_gradient_by_finite_differences(
    small_network, small_episodes, in_float64, assert_finite_differences, mode, downsample
):
    """Along a random direction of all meta-learned weights, through two inner steps."""
    network = small_network(mode, downsample=downsample)
    learner = maml(MamlOptions(inner_steps=2, inner_learning_rate=0.3), network, classification())
    assert_finite_differences(learner, in_float64(learner.init(0)), small_episodes(), PROGRESS)


def test_first_order_gradient_is_that_at_the_adapted_weights(
    small_network, small_episodes, in_float64
):
    """FOMAML: grad of L_Q at theta', taken without looking back at how theta' came about."""
    network, episodes = small_network("none"), small_episodes()
    options = MamlOptions(
        inner_steps=3, inner_learning_rate=0.3, learn_rates=False, first_order=True
    )
    learner = maml(options, network, classification())
    weights = in_float64(learner.init(0))
    found = learner.meta_gradients(weights, episodes, PROGRESS).gradients
    adapted = tf.nest.map_structure(tf.constant, learner.adapt(weights, episodes.support))
    with tf.GradientTape() as tape:
        tape.watch(adapted)
        outputs = learner.predict(weights, adapted, episodes.query_x)
        losses = classification().loss(outputs, episodes.query_y, episodes.support_y)
        loss = tf.reduce_mean(losses)
    expected = tape.gradient(loss, adapted)
    for name, gradient in by_joined_name(expected).items():
        summed = tf.reduce_sum(gradient, axis=0)
        np.testing.assert_allclose(by_joined_name(found)[name], summed, atol=1e-12)


def test_no_inner_step_is_plain_training(small_network, small_episodes, in_float64):
    network, episodes = small_network("none"), small_episodes()
    learner = maml(MamlOptions(inner_steps=0, learn_rates=False), network, classification())
    weights = in_float64(learner.init(0))
    found = learner.meta_gradients(weights, episodes, PROGRESS)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        everything = tf.ones(tf.shape(episodes.query_y), tf.float64)
        outputs, _ = network.forward(weights, episodes.query_x, everything)
        losses = classification().loss(outputs, episodes.query_y, episodes.support_y)
        loss = tf.reduce_mean(losses)
    for name, gradient in by_joined_name(tape.gradient(loss, weights)).items():
        np.testing.assert_allclose(by_joined_name(found.gradients)[name], gradient, atol=1e-12)
