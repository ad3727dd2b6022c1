"""MAML's meta-gradient: by hand, by finite differences, and its limits."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.learners.maml import MamlOptions, maml
from components.tasks.classification import classification
from components.tasks.regression import regression

ALPHA = 0.1
PROGRESS = tf.constant(0.0)


def scalar_weights(w: float) -> dict:
    return {
        "head_kernel": tf.constant([[w]], tf.float64),
        "head_bias": tf.constant([0.0], tf.float64),
    }


@pytest.mark.parametrize("w", [0.7, -1.3])
@pytest.mark.parametrize("first_order", [False, True])
def test_meta_gradient_by_hand(scalar_network, scalar_episode, w, first_order):
    """L_S = (2w - 1)^2, w' = w - a 4(2w - 1), L_Q = (3w' - 5)^2.

    dL_Q/dw = 6(3w' - 5) dw'/dw, where dw'/dw is 1 - 8a, or 1 to first order.
    """
    options = MamlOptions(inner_rate=ALPHA, learn_rates=False, first_order=first_order)
    learner = maml(options, scalar_network, regression())
    found = learner.meta_gradients(scalar_weights(w), scalar_episode, PROGRESS)
    adapted = w - ALPHA * 4 * (2 * w - 1)
    slope = 1.0 if first_order else 1 - 8 * ALPHA
    np.testing.assert_allclose(found.loss, (3 * adapted - 5) ** 2, rtol=1e-12)
    gradient = found.gradients["head_kernel"].numpy().item()
    np.testing.assert_allclose(gradient, 6 * (3 * adapted - 5) * slope, rtol=1e-12)


def test_gradient_of_the_learned_rate_by_hand(scalar_network, scalar_episode):
    """dL_Q/da = 6(3w' - 5) * -4(2w - 1)."""
    w = 0.7
    learner = maml(MamlOptions(inner_rate=ALPHA), scalar_network, regression())
    weights = scalar_weights(w) | {"rate_head_kernel": tf.constant(ALPHA, tf.float64)}
    found = learner.meta_gradients(weights, scalar_episode, PROGRESS)
    adapted = w - ALPHA * 4 * (2 * w - 1)
    expected = 6 * (3 * adapted - 5) * -4 * (2 * w - 1)
    np.testing.assert_allclose(found.gradients["rate_head_kernel"], expected, rtol=1e-12)


@pytest.mark.parametrize("mode", ["support", "task_norm", "transductive", "none"])
@pytest.mark.parametrize("downsample", ["stride", "max_pool"])
def test_meta_gradient_by_finite_differences(
    small_network, small_episodes, in_float64, mode, downsample
):
    """Along a random direction of all meta-learned weights, through two inner steps."""
    network = small_network(mode, downsample=downsample)
    learner = maml(MamlOptions(inner_steps=2, inner_rate=0.3), network, classification())
    weights, episodes = in_float64(learner.init(0)), small_episodes()
    rng = np.random.default_rng(1)
    direction = {name: rng.normal(size=w.shape) for name, w in weights.items()}
    gradients = learner.meta_gradients(weights, episodes, PROGRESS).gradients
    along = sum(np.sum(gradients[name] * direction[name]) for name in weights)

    def loss(t: float) -> float:
        moved = {name: w + t * direction[name] for name, w in weights.items()}
        return float(learner.meta_gradients(moved, episodes, PROGRESS).loss)

    step = 1e-6
    np.testing.assert_allclose((loss(step) - loss(-step)) / (2 * step), along, rtol=1e-4)


def test_first_order_gradient_is_that_at_the_adapted_weights(
    small_network, small_episodes, in_float64
):
    """FOMAML: grad of L_Q at theta', taken without looking back at how theta' came about."""
    network, episodes = small_network("none"), small_episodes()
    options = MamlOptions(inner_steps=3, inner_rate=0.3, learn_rates=False, first_order=True)
    learner = maml(options, network, classification())
    weights = in_float64(learner.init(0))
    found = learner.meta_gradients(weights, episodes, PROGRESS).gradients
    adapted = {n: tf.constant(w) for n, w in learner.adapt(weights, episodes.support).items()}
    with tf.GradientTape() as tape:
        tape.watch(adapted)
        outputs = learner.predict(weights, adapted, episodes.query_x)
        losses = classification().loss(outputs, episodes.query_y, episodes.support_y)
        loss = tf.reduce_mean(losses)
    expected = tape.gradient(loss, adapted)
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], tf.reduce_sum(gradient, axis=0), atol=1e-12)


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
    for name, gradient in tape.gradient(loss, weights).items():
        np.testing.assert_allclose(found.gradients[name], gradient, atol=1e-12)
