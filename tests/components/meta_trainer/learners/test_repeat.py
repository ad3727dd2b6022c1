"""A repeated step equals the step written out, with its derivatives."""

import numpy as np
import pytest
import tensorflow as tf

from components.meta_trainer.learners.repeat import repeat


def unrolled(step, state, steps):
    for number in range(steps):
        state = step(tf.constant(number), state)
    return state


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_values_and_second_order_gradients_equal_those_of_unrolled_steps(steps, jit_compile):
    rates = tf.constant([0.3, 0.2, 0.1])

    @tf.function(jit_compile=jit_compile)
    def meta_gradient(w: tf.Tensor, rates: tf.Tensor, loop: bool):
        def step(number: tf.Tensor, state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(state["w"])
                loss = tf.reduce_sum(tf.sin(state["w"]) ** 2)
            gradient = tape.gradient(loss, state["w"])
            return {"w": state["w"] - rates[number] * gradient}

        with tf.GradientTape() as tape:
            tape.watch([w, rates])
            after = (repeat if loop else unrolled)(step, {"w": w}, steps)["w"]
            loss = tf.reduce_sum(after**3)
        return after, *tape.gradient(loss, [w, rates], unconnected_gradients="zero")

    w = tf.constant([0.5, -1.0, 2.0])
    expected, found = (meta_gradient(w, rates, loop) for loop in (False, True))
    for one, other in zip(expected, found):
        np.testing.assert_allclose(other, one, atol=1e-6)
