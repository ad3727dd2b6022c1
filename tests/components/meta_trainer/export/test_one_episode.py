"""One episode has a graph of its own, which answers as the graph of stacks does."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.export.one_episode import for_one_or_many
from components.meta_trainer.kernels import plain_convolution


@pytest.mark.parametrize("stride", [1, 2])
def test_one_episode_is_convolved_without_a_loop_and_as_in_a_stack(stride):
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(2, 3, 7, 7, 2)), tf.float32)
    kernel = tf.constant(rng.normal(size=(2, 3, 3, 2, 4)), tf.float32)
    stack = [tf.TensorSpec([None, *t.shape[1:]]) for t in (x, kernel)]

    def gradients(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = plain_convolution.convolution(x, kernel, stride)
            total = tf.reduce_sum(y**2)
        return {"y": y, **dict(zip("xk", tape.gradient(total, [x, kernel])))}

    many = tf.function(gradients, input_signature=stack)
    either = tf.function(lambda *inputs: for_one_or_many(gradients, *inputs), input_signature=stack)
    alone = tf.function(gradients).get_concrete_function(*(t[:1] for t in (x, kernel)))
    assert not [op for op in alone.graph.get_operations() if "While" in op.type]
    expected, stacked = many(x, kernel), either(x, kernel)
    for name, value in expected.items():
        np.testing.assert_array_equal(value, stacked[name])
    for episode in range(2):
        part = slice(episode, episode + 1)
        for name, value in either(x[part], kernel[part]).items():
            np.testing.assert_array_equal(value, expected[name][part])
