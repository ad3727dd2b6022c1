"""Normalising by moments, against NumPy and finite differences of two orders."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.kernels import convolution
from components.meta_trainer.kernels.moments import moments, normalise, rectify
from components.meta_trainer.learners.repeat import repeat

RNG = np.random.default_rng(0)


def random(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.standard_normal(shape))


@pytest.mark.parametrize("episodes", [1, 2])
def test_moments_are_those_of_the_examples_that_count(episodes):
    x = random(episodes, 4, 2, 3, 5)
    mean, variance = moments(x, tf.constant([[1.0, 1.0, 0.0, 1.0]] * episodes, tf.float64))
    counted = x.numpy()[:, [0, 1, 3]]
    np.testing.assert_allclose(mean[:, 0, 0, 0], counted.mean((1, 2, 3)), atol=1e-12)
    np.testing.assert_allclose(variance[:, 0, 0, 0], counted.var((1, 2, 3)), atol=1e-12)


def test_padding_changes_neither_moments_nor_gradients():
    x, noise = random(2, 3, 2, 2, 5), random(2, 2, 2, 2, 5)

    def gradient(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            mean, variance = moments(x, weights)
            loss = tf.reduce_sum(mean**3) + tf.reduce_sum(variance**2)
        return tape.gradient(loss, x)

    ones, zeros = tf.ones([2, 3], tf.float64), tf.zeros([2, 2], tf.float64)
    padded = gradient(tf.concat([x, noise], 1), tf.concat([ones, zeros], 1))
    np.testing.assert_allclose(padded[:, :3], gradient(x, ones), atol=1e-12)
    assert not np.any(padded[:, 3:])


def layer(slope: float, x: tf.Tensor, kernel: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Smooth but where the rectifier bends, so that differences can check its derivatives."""
    x = convolution.task_conv(x, kernel, stride=2)
    weights = tf.constant([[1.0, 1.0, 0.0]], x.dtype) * tf.ones([x.shape[0], 1], x.dtype)
    mean, variance = moments(x, weights)
    return tf.reduce_sum(tf.sin(normalise(x, mean, variance, offset, slope)))


@pytest.mark.parametrize("slope", [1.0, 0.1, 0.0])
@pytest.mark.parametrize("episodes", [1, 2])
@pytest.mark.parametrize("wrt", range(3))
def test_first_and_second_derivatives_agree_with_finite_differences(episodes, wrt, slope):
    block = functools.partial(layer, slope)
    inputs = [random(episodes, 3, 5, 4, 2), random(episodes, 3, 3, 2, 2), random(2)]
    directions = [random(*t.shape) for t in inputs]

    def along(*inputs: tf.Tensor) -> tf.Tensor:
        """The derivative along `directions`: its own gradient is of second order."""
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = block(*inputs)
        gradients = tape.gradient(value, inputs)
        return tf.add_n([tf.reduce_sum(g * d) for g, d in zip(gradients, directions)])

    for function in (block, along):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = function(*inputs)
        gradient = tape.gradient(value, inputs)[wrt]
        by_gradient = tf.reduce_sum(gradient * directions[wrt])
        step = 1e-5
        ahead, behind = list(inputs), list(inputs)
        ahead[wrt] = inputs[wrt] + step * directions[wrt]
        behind[wrt] = inputs[wrt] - step * directions[wrt]
        by_difference = (function(*ahead) - function(*behind)) / (2 * step)
        np.testing.assert_allclose(by_gradient, by_difference, rtol=1e-6)


@pytest.mark.parametrize("slope", [1.0, 0.1, 0.0])
def test_what_is_normalised_is_rectified(slope):
    x, offset = random(2, 3, 2, 2, 5), random(5)
    mean, variance = moments(x, tf.ones([2, 3], tf.float64))
    found = normalise(x, mean, variance, offset, slope)
    plain = normalise(x, mean, variance, offset).numpy()
    np.testing.assert_allclose(found, np.where(plain > 0, plain, slope * plain), atol=1e-12)
    np.testing.assert_allclose(found, rectify(tf.constant(plain), slope), atol=1e-12)


@pytest.mark.parametrize("jit", [False, True], ids=["plain", "XLA"])
def test_derivatives_through_a_loop_of_inner_steps_are_those_of_the_unrolled_ones(jit):
    """A loop keeps what the second derivative needs; what it keeps wrongly shows here alone."""
    x, offset = random(2, 3, 2, 2, 5), random(5)

    def step(number: tf.Tensor, state: dict) -> dict:
        with tf.GradientTape() as tape:
            tape.watch(state)
            mean, variance = moments(state["x"], tf.ones([2, 3], tf.float64))
            y = normalise(state["x"], mean, variance, state["offset"], slope=0.1)
            loss = tf.reduce_sum(tf.sin(y))
        return {n: state[n] - 0.1 * g for n, g in tape.gradient(loss, state).items()}

    def unrolled(step, state: dict, steps: int) -> dict:
        for number in range(steps):
            state = step(tf.constant(number), state)
        return state

    def gradient(repeated) -> dict:
        state = {"x": x, "offset": offset}
        with tf.GradientTape() as tape:
            tape.watch(state)
            loss = tf.reduce_sum(repeated(step, state, 3)["x"] ** 3)
        return tape.gradient(loss, state)

    looped, plain = (tf.function(gradient, jit_compile=jit)(r) for r in (repeat, unrolled))
    for name in plain:
        np.testing.assert_allclose(looped[name], plain[name], atol=1e-10)
