"""Properties of the layers with a task axis, against TensorFlow's own and finite differences."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.kernels import convolution, patches
from components.meta_trainer.kernels.moments import moments, normalise

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
    found = traced(lambda x, kernel: convolution.task_conv(x, kernel, stride=stride))(x, kernel)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_shared_kernel_equals_its_copies(traced):
    x, kernel = random(2, 3, 4, 4, 2), random(3, 3, 2, 4)
    copies = tf.stack([kernel, kernel])
    conv = traced(convolution.task_conv)
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
                loss = tf.reduce_sum(convolution.task_conv(x, kernel, stride=stride) ** 3)
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


def test_sizes_of_stacks_may_be_unknown_in_the_graph():
    @tf.function(input_signature=[tf.TensorSpec([None, None, 5, 4, 2], tf.float64)])
    def gradient(x: tf.Tensor) -> tf.Tensor:
        kernel = tf.ones([3, 3, 2, 2], x.dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = convolution.task_conv(x, kernel, stride=2)
            mean, variance = moments(y, tf.ones(tf.shape(y)[:2], y.dtype))
            y = normalise(y, mean, variance, tf.zeros([2], y.dtype))
            loss = tf.reduce_sum(y**3)
        return tape.gradient(loss, x)

    x = random(2, 3, 5, 4, 2)
    np.testing.assert_allclose(gradient(x), gradient.python_function(x), atol=1e-12)


def test_max_pool_drops_odd_edges(traced):
    x = random(2, 3, 5, 4, 2)
    expected = tf.stack([tf.nn.max_pool2d(x[e], 2, 2, "VALID") for e in range(2)])
    np.testing.assert_array_equal(traced(convolution.max_pool)(x), expected)


def test_derivatives_of_the_compiled_maximum_are_those_of_finite_differences_and_of_the_plain_one():
    x = random(2, 3, 5, 4, 2)
    direction, weights = random(*x.shape), random(2, 3, 2, 2, 2)

    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(weights * convolution.max_pool(x) ** 3)
        return tape.gradient(loss, x)

    def second(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            along = tf.reduce_sum(direction * gradient(x))
        return tape.gradient(along, x)

    first, step = tf.function(gradient, jit_compile=True), 1e-6
    numeric = (first(x + step * direction) - first(x - step * direction)) / (2 * step)
    compiled, plain = (tf.function(second, jit_compile=jit)(x) for jit in (True, False))
    np.testing.assert_allclose(compiled, numeric, atol=1e-8)
    np.testing.assert_allclose(compiled, plain, atol=1e-12)


def test_equal_maxima_of_a_square_share_its_gradient():
    @tf.function(jit_compile=True)
    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = convolution.max_pool(x)
        return tape.gradient(y, x)

    x = tf.reshape(tf.constant([0.0, 1.0, 1.0, -1.0]), [1, 1, 2, 2, 1])
    np.testing.assert_allclose(tf.reshape(gradient(x), [-1]), [0, 0.5, 0.5, 0])
