"""Every learner's meta-gradient against finite differences, in float64."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer import learners
from components.meta_trainer.learners.reptile import ReptileOptions, reptile
from components.meta_trainer.objective import classification

# Reptile's update is no gradient; Meta-LSTM's and FOMAML's treat some of what varies as constant.
EXACT = ("maml", "anil", "meta_sgd", "maml_plus_plus", "protonet", "proto_maml")
LATE = tf.constant(0.9)  # MAML++ is of second order by then


@pytest.fixture
def learner_of(small_network, in_float64):
    def make(name: str):
        options, factory = learners.lookup(name)
        learner = factory(options(), small_network(), classification())
        return learner, in_float64(learner.init(0))

    return make


@pytest.mark.parametrize("name", EXACT)
def test_gradient_by_finite_differences(learner_of, small_episodes, name):
    learner, weights = learner_of(name)
    episodes = small_episodes()
    rng = np.random.default_rng(1)
    direction = {n: rng.normal(size=w.shape) for n, w in weights.items()}
    gradients = learner.meta_gradients(weights, episodes, LATE).gradients
    along = sum(np.sum(gradients[n] * direction[n]) for n in weights)

    def loss(t: float) -> float:
        moved = {n: w + t * direction[n] for n, w in weights.items()}
        return float(learner.meta_gradients(moved, episodes, LATE).loss)

    step = 1e-6
    np.testing.assert_allclose((loss(step) - loss(-step)) / (2 * step), along, rtol=1e-4)


def test_anil_does_not_move_the_body(learner_of, small_episodes):
    learner, weights = learner_of("anil")
    adapted = learner.adapt(weights, small_episodes().support)
    assert {n for n in adapted if not n.startswith("moments_")} == {"head_kernel", "head_bias"}


def test_meta_sgd_with_equal_rates_is_maml(learner_of, small_episodes):
    learner, weights = learner_of("meta_sgd")
    maml, maml_weights = learner_of("maml")
    equal = {
        n: tf.fill(w.shape, tf.constant(0.4, w.dtype)) if n.startswith("rate_") else w
        for n, w in weights.items()
    }
    support = small_episodes().support
    expected = maml.adapt(maml_weights, support)
    for name, tensor in learner.adapt(equal, support).items():
        np.testing.assert_allclose(tensor, expected[name], atol=1e-7)


def test_protonet_equals_its_linear_form(learner_of, small_episodes):
    """softmax(-|x - c|^2) = softmax(2 c x - |c|^2): Proto-MAML before its first step."""
    learner, weights = learner_of("protonet")
    linear, _ = learner_of("proto_maml")
    episodes = small_episodes()
    adapted = learner.adapt(weights, episodes.support)
    outputs = learner.predict(weights, adapted, episodes.query_x)
    assert linear.path is not None
    linear_outputs = linear.path(weights, episodes.support, episodes.query_x)[:, 0]
    np.testing.assert_allclose(tf.nn.softmax(outputs), tf.nn.softmax(linear_outputs), atol=1e-10)


def test_reptile_with_one_step_is_a_signed_step_down_the_loss_of_all_examples(
    small_network, small_episodes, in_float64
):
    """Adam without momentum starts with rate * sign(g); the meta-gradient is theta - phi."""
    network, episodes = small_network(), small_episodes(episodes=1)
    learner = reptile(ReptileOptions(inner_steps=1, inner_rate=0.01), network, classification())
    weights = in_float64(learner.init(0))
    found = learner.meta_gradients(weights, episodes, LATE).gradients
    x = tf.concat([episodes.support_x, episodes.query_x], axis=1)
    y = tf.concat([episodes.support_y, episodes.query_y], axis=1)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        outputs, _ = network.forward(weights, x, tf.ones(y.shape, tf.float64))
        loss = tf.reduce_sum(classification().loss(outputs, y, y))
    for name, gradient in tape.gradient(loss, weights).items():
        clear = np.abs(gradient) > 1e-4
        np.testing.assert_allclose(found[name][clear], 0.01 * np.sign(gradient[clear]), rtol=5e-3)


def test_multi_step_shares_sum_to_one_and_end_on_the_last_step():
    from components.meta_trainer.learners.maml_plus_plus import step_shares

    np.testing.assert_allclose(step_shares(tf.constant(0.0), 4), [0.25] * 4)
    np.testing.assert_allclose(tf.reduce_sum(step_shares(tf.constant(0.4), 4)), 1.0, rtol=1e-6)
    np.testing.assert_allclose(step_shares(tf.constant(3.0), 4), [0, 0, 0, 1])
