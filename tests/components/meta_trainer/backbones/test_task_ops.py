"""Properties of the layers with a task axis, against TensorFlow's own and finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.backbones import patches, task_ops
from components.meta_trainer.backbones.moments import moments, normalise

RNG = np.random.default_rng(0)


def random(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.standard_normal(shape))


@pytest.fixture(params=[False, True], ids=["plain", "XLA"])
def traced(request):
    """`tf.function`, and the same compiled: convolutions and pooling are other operations there."""
    return lambda function: tf.function(function, jit_compile=request.param)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(4, 4), (5, 7), (1, 2)])
def test_task_conv_is_a_convolution_per_episode(traced, stride, size):
    x, kernel = random(2, 3, *size, 2), random(2, 3, 3, 2, 4)
    expected = tf.stack([tf.nn.conv2d(x[e], kernel[e], stride, "SAME") for e in range(2)])
    found = traced(lambda x, kernel: task_ops.task_conv(x, kernel, stride=stride))(x, kernel)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_shared_kernel_equals_its_copies(traced):
    x, kernel = random(2, 3, 4, 4, 2), random(3, 3, 2, 4)
    copies = tf.stack([kernel, kernel])
    conv = traced(task_ops.task_conv)
    np.testing.assert_allclose(conv(x, kernel), conv(x, copies), atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shared", [False, True])
def test_second_derivatives_of_task_conv_are_the_same_compiled_and_plain(stride, shared):
    x, kernel = random(2, 3, 5, 4, 2), random(*([] if shared else [2]), 3, 3, 2, 4)

    def second(x: tf.Tensor, kernel: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as outer:
            outer.watch([x, kernel])
            with tf.GradientTape() as inner:
                inner.watch([x, kernel])
                loss = tf.reduce_sum(task_ops.task_conv(x, kernel, stride=stride) ** 3)
            first = inner.gradient(loss, [x, kernel])
            total = tf.add_n([tf.reduce_sum(g**2) for g in first])
        return first + outer.gradient(total, [x, kernel])

    compiled, plain = (tf.function(second, jit_compile=jit)(x, kernel) for jit in (True, False))
    for one, other in zip(compiled, plain):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * np.abs(other).max())


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(4, 4), (5, 7)])
def test_col2im_is_the_transpose_of_im2col(stride, size):
    x = random(2, 3, *size, 2)
    cut = patches.im2col(x, stride)
    other = random(*cut.shape)
    back = patches._col2im(other, stride, x.shape)
    np.testing.assert_allclose(tf.reduce_sum(cut * other), tf.reduce_sum(x * back), rtol=1e-12)


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


def block(x: tf.Tensor, kernel: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """A layer whose every derivative is smooth, so that differences can check it."""
    x = task_ops.task_conv(x, kernel, stride=2)
    weights = tf.constant([[1.0, 1.0, 0.0]], x.dtype) * tf.ones([x.shape[0], 1], x.dtype)
    mean, variance = moments(x, weights)
    return tf.reduce_sum(tf.sin(normalise(x, mean, variance, offset)))


@pytest.mark.parametrize("episodes", [1, 2])
@pytest.mark.parametrize("wrt", range(3))
def test_first_and_second_derivatives_agree_with_finite_differences(episodes, wrt):
    inputs = [random(episodes, 3, 5, 4, 2), random(episodes, 3, 3, 2, 2), random(2)]
    directions = [random(*t.shape) for t in inputs]

    def slope(*inputs: tf.Tensor) -> tf.Tensor:
        """The derivative along `directions`: its own gradient is of second order."""
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = block(*inputs)
        gradients = tape.gradient(value, inputs)
        return tf.add_n([tf.reduce_sum(g * d) for g, d in zip(gradients, directions)])

    for function in (block, slope):
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


def test_sizes_of_stacks_may_be_unknown_in_the_graph():
    @tf.function(input_signature=[tf.TensorSpec([None, None, 5, 4, 2], tf.float64)])
    def gradient(x: tf.Tensor) -> tf.Tensor:
        kernel = tf.ones([3, 3, 2, 2], x.dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = task_ops.task_conv(x, kernel, stride=2)
            mean, variance = moments(y, tf.ones(tf.shape(y)[:2], y.dtype))
            y = normalise(y, mean, variance, tf.zeros([2], y.dtype))
            loss = tf.reduce_sum(y**3)
        return tape.gradient(loss, x)

    x = random(2, 3, 5, 4, 2)
    np.testing.assert_allclose(gradient(x), gradient.python_function(x), atol=1e-12)


def test_max_pool_drops_odd_edges(traced):
    x = random(2, 3, 5, 4, 2)
    expected = tf.stack([tf.nn.max_pool2d(x[e], 2, 2, "VALID") for e in range(2)])
    np.testing.assert_array_equal(traced(task_ops.max_pool)(x), expected)
