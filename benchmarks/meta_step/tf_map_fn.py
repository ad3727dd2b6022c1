"""Plain TensorFlow: one episode's meta-loss with its own convolutions, mapped by `tf.map_fn`."""

import sys

import tensorflow as tf

from benchmarks.meta_step import problem
from benchmarks.meta_step.worker import serve


def batch_mean(x):
    """Computes the mean of each channel, over positions first and then over images.

    One sum over both loses two digits of float32 at 84 x 84 pixels: meta-gradients were 1% off.
    """
    return tf.reduce_mean(tf.reduce_mean(x, [1, 2]), 0)


def logits(case, w, x):
    """Computes the logits `[B, N]` of images `[B, H, W, C]`."""
    for block in range(1, problem.BLOCKS + 1):
        x = tf.nn.conv2d(x, w[f"conv{block}_kernel"], case.stride, "SAME")
        mean = batch_mean(x)
        variance = batch_mean(tf.square(x - mean))
        x = (x - mean) * tf.math.rsqrt(variance + problem.EPSILON) + w[f"conv{block}_offset"]
        x = tf.nn.relu(x)
        x = tf.nn.max_pool2d(x, 2, 2, "VALID") if case.max_pool else x
    flat = [x.shape[0], case.features]
    x = tf.reshape(x, flat) if case.max_pool else tf.reduce_mean(x, [1, 2])
    return x @ w["head_kernel"] + w["head_bias"]


def loss_of(case, w, x, y):
    """Computes the mean cross-entropy."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits(case, w, x)))


def main(case: problem.Case) -> None:
    """Answers the driver with this implementation of one case."""

    def meta_loss(w, support_x, support_y, query_x, query_y):
        for _ in range(case.inner_steps):
            fast = {name: value for name, value in w.items() if problem.adapted(name)}
            with tf.GradientTape() as tape:
                tape.watch(fast)
                loss = loss_of(case, {**w, **fast}, support_x, support_y)
            gradients = tape.gradient(loss, fast)
            w = {
                **w,
                **{n: v - case.inner_learning_rate * gradients[n] for n, v in fast.items()},
            }
        return loss_of(case, w, query_x, query_y)

    @tf.function
    def step(outer, *episodes):
        w = {name: tf.convert_to_tensor(v) for name, v in variables.items()}
        with tf.GradientTape() as tape:
            tape.watch(w)
            losses = tf.map_fn(lambda e: meta_loss(w, *e), episodes, fn_output_signature=tf.float32)
            loss = tf.reduce_mean(losses)
        adam(tape.gradient(loss, w), outer)
        return loss

    def adam(gradients, outer):
        number.assign_add(1.0)
        correction = tf.sqrt(1 - problem.BETA_2**number) / (1 - problem.BETA_1**number)
        for n, g in gradients.items():
            first[n].assign(problem.BETA_1 * first[n] + (1 - problem.BETA_1) * g)
            second[n].assign(problem.BETA_2 * second[n] + (1 - problem.BETA_2) * g * g)
            change = first[n] / (tf.sqrt(second[n]) + outer.epsilon)
            variables[n].assign_sub(outer.rate * correction * change)

    variables = {name: tf.Variable(v) for name, v in problem.weights(case).items()}
    first, second = (
        {name: tf.Variable(tf.zeros_like(v)) for name, v in variables.items()} for _ in range(2)
    )
    number = tf.Variable(0.0)
    episodes = [tf.constant(part) for part in problem.episodes(case)]

    def take(outer: problem.Outer) -> float:
        return float(step(problem.Outer(*map(tf.constant, outer)), *episodes))

    serve(
        take, lambda: {n: w.numpy() for n, w in variables.items()}, {"tensorflow": tf.__version__}
    )


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]])
