"""Meta-LSTM: its equations, its limits, and an independent second implementation in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.learners import meta_lstm as module
from components.meta_trainer.learners.meta_lstm import MetaLstmOptions, meta_lstm, preprocess
from components.meta_trainer.types import by_joined_name
from components.tasks.classification import classification
from components.tasks.regression import regression

PROGRESS = tf.constant(0.0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_preprocessing_of_large_and_small_numbers():
    """Appendix A: (log|x| / p, sign x) if |x| >= e^-p, else (-1, e^p x)."""
    x = np.array([1.0, -np.e, 1e-6, -1e-6, 0.0])
    expected = [
        (0.0, 1.0),
        (0.1, -1.0),
        (-1.0, np.exp(10) * 1e-6),
        (-1.0, -np.exp(10) * 1e-6),
        (-1.0, 0.0),
    ]
    np.testing.assert_allclose(preprocess(tf.constant(x)), expected, rtol=1e-12)


def test_open_forget_gate_and_constant_input_gate_are_gradient_descent(
    small_network, small_episodes, in_float64
):
    """c <- 1 c - a grad: SGD at the rate sigmoid(b_I), divided by the examples as published."""
    network, episodes, rate = small_network("none"), small_episodes(), 0.3
    learner = meta_lstm(
        MetaLstmOptions(inner_steps=1, divide_gradient=False), network, classification()
    )
    weights = in_float64(learner.init(0))
    parameters = weights["meta_learner"]
    parameters |= {
        "forget_kernel": tf.zeros_like(parameters["forget_kernel"]),
        "input_kernel": tf.zeros_like(parameters["input_kernel"]),
        "forget_bias": tf.constant(40.0, tf.float64),
        "input_bias": tf.constant(np.log(rate / (1 - rate))),
    }
    adapted = learner.adapt(weights, episodes.support)
    for episode in range(2):
        one = {part: weights[part] for part in ("body", "head")}
        with tf.GradientTape() as tape:
            tape.watch(one)
            x, y = (t[episode : episode + 1] for t in episodes.support)
            outputs, _ = network.forward(one, x, tf.ones(y.shape, tf.float64))
            loss = tf.reduce_sum(classification().loss(outputs, y, y))
        expected = tf.nest.map_structure(lambda w, g: w - rate * g, one, tape.gradient(loss, one))
        for name, tensor in by_joined_name(expected).items():
            np.testing.assert_allclose(by_joined_name(adapted)[name][episode], tensor, atol=1e-10)


@pytest.fixture
def tiny(scalar_network, in_float64):
    """The learner of f(x) = w x + b, and weights whose gates are neither open nor shut."""

    def make(steps: int):
        learner = meta_lstm(MetaLstmOptions(inner_steps=steps), scalar_network, regression())
        weights = in_float64(learner.init(3))
        rng = np.random.default_rng(0)
        parameters = weights["meta_learner"]
        for name in ("lstm_kernel", "lstm_bias", "forget_kernel", "input_kernel"):
            parameters[name] = tf.constant(rng.normal(scale=0.3, size=parameters[name].shape))
        parameters["input_bias"] = tf.constant(-1.0, tf.float64)
        weights["head"]["kernel"] = tf.constant([[0.7]], tf.float64)
        return learner, weights

    return make


@pytest.mark.parametrize("steps", [1, 4])
def test_agrees_with_a_second_implementation(tiny, scalar_episode, steps):
    learner, weights = tiny(steps)
    found = learner.adapt(weights, scalar_episode.support)
    expected, _ = second_implementation(arrays_of(weights), steps)
    np.testing.assert_allclose(found["head"]["kernel"].numpy().item(), expected[0], rtol=1e-6)
    np.testing.assert_allclose(found["head"]["bias"].numpy().item(), expected[1], rtol=1e-6)


def arrays_of(weights: dict) -> dict[str, np.ndarray]:
    """By name: `head_kernel`, `lstm_kernel`, ..."""
    named = by_joined_name(weights)
    return {n.removeprefix("meta_learner_"): np.asarray(w) for n, w in named.items()}


@pytest.mark.parametrize("steps", [1, 4])
def test_meta_gradient_holds_losses_and_gradients_constant(tiny, scalar_episode, steps):
    """The first-order assumption of section 3.5: what is fed in does not depend on the weights.

    By the second implementation, fed with the numbers that it recorded before: the complex step
    along a random direction of each weight (the learned start among them).
    """
    learner, weights = tiny(steps)
    found = arrays_of(learner.meta_gradients(weights, scalar_episode, PROGRESS).gradients)
    arrays = arrays_of(weights)
    _, fed = second_implementation(arrays, steps)

    def query_loss(moved: dict, fed: list | None) -> complex:
        (w, b), _ = second_implementation(moved, steps, fed)
        return (w * 3 + b - 5) ** 2

    rng = np.random.default_rng(2)
    for name, values in arrays.items():
        direction = rng.normal(size=values.shape)
        moved = arrays | {name: values + 1e-30j * direction}
        expected = query_loss(moved, fed).imag / 1e-30
        np.testing.assert_allclose(np.sum(found[name] * direction), expected, rtol=1e-6)
        if name == "head_kernel" and steps > 1:  # the true gradient is another one
            true = query_loss(moved, None).imag / 1e-30
            assert abs(true - expected) > 1e-3 * abs(expected)


def second_implementation(
    weights: dict, steps: int, fed: list | None = None
) -> tuple[np.ndarray, list]:
    """f(x) = w x + b on the support (2, 1); the coordinates are w and b.

    Args:
      weights: the meta-learner's, shared by both coordinates, and the start.
      steps: how many.
      fed: the (loss, gradient) of each step, to take in place of the true ones.

    Returns:
      (w, b) after the steps, and what was fed in.
    """
    x, y = 2.0, 1.0
    h, s = np.zeros((2, 20)), np.zeros((2, 20))
    f, i = np.zeros(2), np.zeros(2)
    c = np.array([weights["head_kernel"].item(), weights["head_bias"].item()])
    true = []
    for step in range(steps):
        error = c[0] * x + c[1] - y
        true.append((error**2, np.array([2 * error * x, 2 * error])))
        loss, gradient = (fed or true)[step]
        features = [[*_pre(loss), *_pre(g)] for g in gradient]
        z = np.hstack([features, h]) @ weights["lstm_kernel"] + weights["lstm_bias"]
        z_i, z_f, z_o, z_g = np.split(z, 4, axis=1)
        s = sigmoid(z_f) * s + sigmoid(z_i) * np.tanh(z_g)
        h = sigmoid(z_o) * np.tanh(s)
        f = np.column_stack([h, c, f]) @ weights["forget_kernel"] + weights["forget_bias"]
        i = np.column_stack([h, c, i]) @ weights["input_kernel"] + weights["input_bias"]
        c = sigmoid(f) * c - sigmoid(i) * gradient
    return c, fed or true


def _pre(v: complex) -> tuple[complex, complex]:
    large, sign = abs(v) >= np.exp(-10), np.sign(v.real)
    return (np.log(v * sign) / 10, sign) if large else (-1.0, np.exp(10) * v)


def test_meta_gradient_by_finite_differences_of_the_gates(
    scalar_network, scalar_episode, in_float64
):
    """One step: gradients and losses do not depend on the gates, so no constant hides anything."""
    learner = meta_lstm(MetaLstmOptions(inner_steps=1), scalar_network, regression())
    weights = in_float64(learner.init(0))
    gradients = learner.meta_gradients(weights, scalar_episode, PROGRESS).gradients
    for name in ("input_bias", "forget_bias"):

        def loss(t: float, name=name) -> float:
            parameters = weights["meta_learner"]
            moved = {"meta_learner": parameters | {name: parameters[name] + t}}
            return float(learner.meta_gradients(weights | moved, scalar_episode, PROGRESS).loss)

        numeric = (loss(1e-6) - loss(-1e-6)) / 2e-6
        np.testing.assert_allclose(gradients["meta_learner"][name], numeric, rtol=1e-5)


def test_gate_biases_start_in_the_papers_ranges():
    weights = module.init_meta_learner(0, 20)
    assert 4 <= float(weights["forget_bias"]) <= 5
    assert -5 <= float(weights["input_bias"]) <= -4
    assert np.abs(weights["lstm_kernel"]).max() <= 0.01
