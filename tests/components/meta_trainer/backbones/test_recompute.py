"""Recomputing changes no number, and leaves a loop less to write down."""

import numpy as np
import tensorflow as tf

from components.meta_trainer.backbones.recompute import recomputed, recomputed_in_loops


def wavy(x: tf.Tensor, w: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    inside = tf.sin(x * w)
    return tf.exp(inside) * w, {"square": tf.square(inside)}


def value(function, x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
    y, more = function(x, w)
    return tf.reduce_sum(y * more["square"])


def derivatives(function, x: tf.Tensor, w: tf.Tensor) -> list[tf.Tensor]:
    """First, second and third."""
    with tf.GradientTape() as third:
        third.watch([x, w])
        with tf.GradientTape() as second:
            second.watch([x, w])
            with tf.GradientTape() as first:
                first.watch([x, w])
                y = value(function, x, w)
            one = first.gradient(y, [x, w])
            total = tf.add_n([tf.reduce_sum(g**2) for g in one])
        two = second.gradient(total, [x, w])
        total = tf.add_n([tf.reduce_sum(g**2) for g in two])
    return [y, *one, *two, *third.gradient(total, [x, w])]


def test_derivatives_of_every_order_are_the_same():
    x, w = tf.constant([0.3, -0.2], tf.float64), tf.constant([1.1, 0.7], tf.float64)
    for found, expected in zip(derivatives(recomputed(wavy), x, w), derivatives(wavy, x, w)):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_an_argument_without_influence_has_gradient_zero():
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = recomputed(lambda x, w: 3 * w)(x, tf.constant(1.0))
    assert tape.gradient(y, x) == 0.0


def looped(function):
    """The gradient of three steps through `function`, by x and by w."""

    @tf.function
    def gradients(x: tf.Tensor, w: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([x, w])
            _, y = tf.while_loop(
                lambda n, _: n < 3,
                lambda n, x: (n + 1, function(x, w)[0]),
                (0, x),
                maximum_iterations=3,
            )
            total = tf.reduce_sum(y)
        return tape.gradient(total, [x, w])

    return gradients


def kept(gradients, *arguments: tf.Tensor) -> int:
    """How many tensors of each step the loop keeps for its gradient."""
    graph = gradients.get_concrete_function(*arguments).graph
    loop = next(op for op in graph.get_operations() if op.type in ("While", "StatelessWhile"))
    return sum(t.dtype == tf.variant for t in loop.inputs)


def test_a_loop_keeps_the_arguments_only():
    x, w = tf.constant([0.3, -0.2]), tf.constant([1.1, 0.7])
    plain, spared = looped(wavy), looped(recomputed_in_loops(wavy))
    for found, expected in zip(spared(x, w), plain(x, w)):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert kept(spared, x, w) == 1  # x; w is the same at every step
    assert kept(plain, x, w) > 1


def test_outside_of_loops_nothing_is_wrapped():
    operations = {}
    for name, function in (("plain", wavy), ("chosen", recomputed_in_loops(wavy))):
        traced = tf.function(function).get_concrete_function(tf.ones([2]), tf.ones([2]))
        operations[name] = [op.type for op in traced.graph.get_operations()]
    assert operations["chosen"] == operations["plain"]
