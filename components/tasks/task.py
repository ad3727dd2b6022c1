"""What an episode asks for: classes, or real-valued targets. The only place that knows which."""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

ABSENT = -1e9
"""The logit of a class without support examples: its exponential is 0 in float32 and float64."""


class Task(NamedTuple):
    """The task type of an episode.

    Attributes:
      name: "classification" or "regression".
      mask: `y [E, B, ...] -> [E, B]` float32, 0 for padding.
      loss: `(outputs [E, B, N], y, support_y) -> [E]`, the mean over the examples that count.
      answer: `(outputs, support_y) ->` probabilities `[E, B, N]`, or targets.
      score: `(outputs, y, support_y) -> [E]`, more is better: accuracy, or minus the mean
        squared error.
    """

    name: str
    mask: Callable[[tf.Tensor], tf.Tensor]
    loss: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
    answer: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    score: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def classification() -> Task:
    """Classification by softmax cross-entropy; labels int32, -1 for padding.

    A class without a support example in an episode has no part in that episode's softmax, so a
    model trained with N ways serves fewer.
    """

    def mask(y: tf.Tensor) -> tf.Tensor:
        return tf.cast(y >= 0, tf.float32)

    def loss(logits: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
        log_p = tf.nn.log_softmax(restrict(logits, support_y))
        # one_hot() of padding is all zeros: it drops out of the sum.
        chosen = tf.one_hot(y, tf.shape(logits)[-1], dtype=logits.dtype)
        counts = tf.reduce_sum(tf.cast(y >= 0, logits.dtype), axis=1)
        return -tf.reduce_sum(chosen * log_p, axis=[1, 2]) / counts

    def answer(logits: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(restrict(logits, support_y))

    def score(logits: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
        best = tf.argmax(restrict(logits, support_y), axis=-1, output_type=tf.int32)
        counts = mask(y)
        return tf.reduce_sum(tf.cast(best == y, tf.float32) * counts, 1) / tf.reduce_sum(counts, 1)

    return Task("classification", mask, loss, answer, score)


def restrict(logits: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
    """Puts the logits `[E, B, N]` of classes that the support set lacks to `ABSENT`."""
    classes = tf.one_hot(support_y, tf.shape(logits)[-1], dtype=logits.dtype)
    present = tf.reduce_max(classes, axis=1, keepdims=True)
    return logits * present + ABSENT * (1 - present)


def regression(target_shape: tuple[int, ...] | None = None) -> Task:
    """Real-valued targets `[E, B, ...target]` by mean squared error; no padding.

    Args:
      target_shape: of an answer; `None` leaves it as the network gives it.
    """

    def mask(y: tf.Tensor) -> tf.Tensor:
        return tf.ones(tf.shape(y)[:2])

    def loss(outputs: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
        del support_y
        difference = _flat(outputs) - tf.cast(_flat(y), outputs.dtype)
        return tf.reduce_mean(tf.square(difference), axis=[1, 2])

    def answer(outputs: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
        del support_y
        if target_shape is None:
            return outputs
        return tf.reshape(outputs, tf.concat([tf.shape(outputs)[:2], target_shape], axis=0))

    def score(outputs: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
        return -loss(outputs, y, support_y)

    return Task("regression", mask, loss, answer, score)


def _flat(y: tf.Tensor) -> tf.Tensor:
    """`[E, B, ...]` to `[E, B, D]`."""
    if y.shape.rank == 3:
        return y
    return tf.reshape(y, tf.concat([tf.shape(y)[:2], [math.prod(y.shape[2:])]], axis=0))
