"""Meta-LSTM: an LSTM whose cell state is the learner's weights, and which learns to update them.

Every weight of the network is a coordinate; all coordinates share the meta-learner's parameters
and each has a state of its own. With g_t the gradient of the support loss L_t at c_{t-1}:

    x_t = preprocess(L_t), preprocess(g_t)                                   (appendix A)
    h_t, s_t = LSTM(x_t, h_{t-1}, s_{t-1})                                   (first layer)
    f_t = W_F [h_t, c_{t-1}, f_{t-1}] + b_F,   i_t = W_I [h_t, c_{t-1}, i_{t-1}] + b_I
    c_t = sigmoid(f_t) c_{t-1} - sigmoid(i_t) g_t                            (eq. 2 and 3)

c_0, the learner's initial weights, is meta-learned. f and i are recycled before the sigmoid, as in
the authors' code. First-order: gradients and losses enter as constants (section 3.3).

Memory: between steps a coordinate keeps 2 x 20 + 3 numbers, its LSTM state, c, f and i; the
meta-gradient computes the rest of a step again (`tf.recompute_grad`). For each step and each
episode that a core works on that is 4.9 MB for conv4-32 (28,229 weights at 28 x 28, 5 ways) and
19 MB for conv4-64 (111,749). The LSTM is the cost, some 3 microseconds of a core for each weight
and five steps, so conv4-64 takes four times as long as conv4-32.

References: Ravi, Larochelle 2017, "Optimization as a Model for Few-Shot Learning", ICLR.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from pydantic import Field

from components.episodes.types import Support
from components.meta_trainer.backbones.base import generator
from components.meta_trainer.kernels.shapes import shape_of
from components.meta_trainer.learners import inner_loop
from components.meta_trainer.learners.base import Learner, MetaOptimizer
from components.meta_trainer.network import Network
from components.meta_trainer.types import Weights, stack_for_episodes
from components.options import options_class
from components.tasks.task import Task

PARTS = "body", "head"
P = 10.0
"""Appendix A's p: numbers below e^-p are too small for their logarithm."""


@options_class
class MetaLstmOptions(inner_loop.HeadOptions, inner_loop.StepOptions):
    """Options of `meta_lstm`. The paper: 12 steps for 1 shot, 8 for 5 shots."""

    inner_steps: int = Field(default=5, ge=1)
    """Updates of the weights in meta-training, each on the whole support set."""
    hidden: int = Field(default=20, ge=1)
    """Size of the first layer."""
    divide_gradient: bool = False
    """Divide the gradient of the mean loss by the number of examples once more. The authors' code
    does, the paper does not say so; meta-training then begins with steps that much smaller, and
    takes longer."""


class State(NamedTuple):
    """The LSTM's state of P coordinates, with H numbers each in the first layer.

    Coordinates come last: there are thousands of them, and the processor's vectors run along the
    last axis.

    Attributes:
      h, s: output and cell of the first layer, `[H, E, P]`.
      f, i: forget and input gate before the sigmoid, `[E, P]`.
      c: cell of the second layer, the learner's weights, `[E, P]`.
    """

    h: tf.Tensor
    s: tf.Tensor
    f: tf.Tensor
    i: tf.Tensor
    c: tf.Tensor


def meta_lstm(options: MetaLstmOptions, network: Network, task: Task) -> Learner:
    """Meta-LSTM; all weights of the network are coordinates, those of normalisation too."""

    def init(seed: int) -> dict[str, Any]:
        return network.init(seed) | {"meta_learner": init_meta_learner(seed, options.hidden)}

    def plan(weights: Weights, support: Support) -> inner_loop.Adaptation:
        body = stack_for_episodes({"body": weights["body"]}, shape_of(support.x)[0])
        like = body | {"head": dict(weights["head"])}
        start = flatten(like)

        def step(number: tf.Tensor, state: dict[str, Any]) -> dict[str, Any]:
            del number
            fast = unflatten(tf.stop_gradient(state["c"]), like)
            gradients, losses = inner_loop.support_gradients(network, task, weights, fast, support)
            gradient = tf.stop_gradient(flatten(gradients))
            if options.divide_gradient:
                count = tf.reduce_sum(task.mask(support.y), axis=1, keepdims=True)
                gradient /= tf.cast(count, gradient.dtype)
            losses = tf.stop_gradient(losses)
            return update(weights["meta_learner"], gradient, losses, State(**state))._asdict()

        def finish(state: dict[str, Any]) -> dict[str, Any]:
            adapted = unflatten(state["c"], like)
            return inner_loop.add_statistics(network, task, weights, adapted, support)

        return inner_loop.Adaptation(initial_state(start, options.hidden)._asdict(), step, finish)

    return inner_loop.stepwise_learner(
        network,
        task,
        init=init,
        plan=plan,
        options=options,
        # The paper: 1e-3 throughout, for 50,000 episodes and more, each an update. Budgets are
        # smaller here: ten times that, falling.
        meta_optimizer=MetaOptimizer(learning_rate=1e-2, schedule="cosine", clip_norm=0.25),
        # 20 to 80 numbers for each weight: those of one episode fill a core's cache.
        max_chunk=1,
        in_pieces=False,  # TensorFlow fails: its loop makes a temporary variable twice
        over_encoders=False,
    )


def init_meta_learner(seed: int, hidden: int) -> dict[str, tf.Tensor]:
    """The meta-learner's parameters, from the ranges of the authors' code.

    sigmoid(b_F) is about 1 and sigmoid(b_I) about 0.01: it starts as gradient descent.
    """

    def draw(name: str, shape: list[int], low: float = -0.01, high: float = 0.01) -> tf.Tensor:
        values = generator(seed, name).uniform(low, high, shape)
        return tf.constant(np.asarray(values, np.float32))

    return {
        "lstm_kernel": draw("lstm_kernel", [4 + hidden, 4 * hidden]),
        "lstm_bias": draw("lstm_bias", [4 * hidden]),
        "forget_kernel": draw("forget_kernel", [hidden + 2]),
        "forget_bias": draw("forget_bias", [], 4.0, 5.0),
        "input_kernel": draw("input_kernel", [hidden + 2]),
        "input_bias": draw("input_bias", [], -5.0, -4.0),
    }


def initial_state(c: tf.Tensor, hidden: int) -> State:
    """The state before the first update: all zero but the cell `c` `[E, P]`."""
    empty = tf.zeros(tf.concat([[hidden], tf.shape(c)], axis=0), c.dtype)
    return State(empty, empty, tf.zeros_like(c), tf.zeros_like(c), c)


def update(weights: Weights, gradient: tf.Tensor, losses: tf.Tensor, state: State) -> State:
    """One update of all coordinates, by support losses `[E]` and their gradient `[E, P]`.

    `weights` are the meta-learner's parameters.
    """
    layers = ("lstm", "forget", "input")
    parameters = (weights[f"{layer}_{part}"] for layer in layers for part in ("kernel", "bias"))

    @tf.recompute_grad
    def cell(gradient, losses, kernel, bias, f_kernel, f_bias, i_kernel, i_bias, h, s, f, i, c):
        h, s = first_layer(kernel, bias, losses, gradient, h, s)
        f = gate(f_kernel, f_bias, h, c, f)
        i = gate(i_kernel, i_bias, h, c, i)
        return h, s, f, i, tf.sigmoid(f) * c - tf.sigmoid(i) * gradient

    return State(*cell(gradient, losses, *parameters, *state))


def first_layer(kernel, bias, losses, gradient, h, s) -> tuple[tf.Tensor, tf.Tensor]:
    """h_t and s_t of a plain LSTM; `kernel` `[4 + H, 4 H]` takes loss, gradient and h, stacked."""
    ones = tf.ones_like(gradient)
    of_loss = preprocess(losses, axis=0)[:, :, None] * ones
    # Loss and bias as rows of the product: meta-steps were some 7% slower where their gradients
    # were sums along coordinates.
    rows = tf.concat([of_loss, preprocess(gradient, axis=0), h, ones[None]], axis=0)
    parameters = tf.concat([kernel, bias[None]], axis=0)
    z = tf.matmul(parameters, tf.reshape(rows, [rows.shape[0], -1]), transpose_a=True)
    z = tf.reshape(z, tf.concat([tf.shape(z)[:1], tf.shape(gradient)], axis=0))
    z_i, z_f, z_o, z_g = tf.split(z, 4, axis=0)
    s = tf.sigmoid(z_f) * s + tf.sigmoid(z_i) * tf.tanh(z_g)
    return tf.sigmoid(z_o) * tf.tanh(s), s


def gate(kernel, bias, h, c, before) -> tf.Tensor:
    """A gate of the meta-LSTM cell before its sigmoid, `[E, P]`: W [h, c, before] + b."""
    return tf.tensordot(kernel[:-2], h, 1) + kernel[-2] * c + kernel[-1] * before + bias


def preprocess(x: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Magnitude and sign of numbers of any scale (appendix A): a new axis of size 2.

    (log|x| / p, sign x) where |x| >= e^-p, else (-1, e^p x).
    """
    large = tf.abs(x) >= np.exp(-P)
    # The logarithm of a number that is not used must be finite all the same.
    logarithm = tf.math.log(tf.where(large, tf.abs(x), tf.ones_like(x))) / P
    first = tf.where(large, logarithm, -tf.ones_like(x))
    return tf.stack([first, tf.where(large, tf.sign(x), np.exp(P) * x)], axis=axis)


def flatten(weights: Weights) -> tf.Tensor:
    """Weights `[E, ...]` to coordinates `[E, P]`, body before head, each by name."""
    tensors = [w for part in PARTS for _, w in sorted(weights[part].items())]
    return tf.concat([tf.reshape(w, [tf.shape(w)[0], -1]) for w in tensors], axis=1)


def unflatten(coordinates: tf.Tensor, like: Weights) -> dict[str, Any]:
    """Coordinates `[E, P]` to weights named and shaped as those of `like`, `[E, ...]`."""
    shapes = {part: {n: known_shape(w) for n, w in sorted(like[part].items())} for part in PARTS}
    sizes = [math.prod(shape) for part in shapes.values() for shape in part.values()]
    pieces = iter(tf.split(coordinates, sizes, axis=1))
    return {
        part: {name: tf.reshape(next(pieces), [-1, *shape]) for name, shape in of_part.items()}
        for part, of_part in shapes.items()
    }


def known_shape(w: tf.Tensor) -> list[int | tf.Tensor]:
    """The sizes after E: numbers but for those that only a request fixes, such as N."""
    return [size or tf.shape(w)[axis] for axis, size in enumerate(w.shape) if axis]
