"""Classification by softmax cross-entropy: labels int32 0..N-1, -1 for padding.

A class without a support example in an episode has no part in that episode's softmax, so a model
trained with N ways serves fewer. Shape letters: see `task`.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from components.tasks.task import Task, with_first
from serving.saved_model import graph_checks
from serving.saved_model import signatures as sig

ABSENT = -1e9
"""The logit of a class without support examples: its exponential is 0 in float32 and float64."""
NO_PREDICTION = -2
"""Neither a label nor that of padding, so that it is never right."""


def classification() -> Task:
    """The task type of episodes whose examples have class labels."""
    return Task(
        name="classification",
        classes=True,
        metric="accuracy",
        higher_is_better=True,
        label_shape=(),
        label_dtype="int32",
        stored_dtype="int64",
        prediction=sig.PROBABILITIES,
        path_prediction=sig.PROBABILITIES_PER_STEP,
        output_dtypes={sig.PROBABILITIES: "float32", sig.PREDICTIONS: "int32"},
        optional_output_dtypes=dict.fromkeys((sig.NONE_SCORE, sig.NONE_THRESHOLD), "float32"),
        network_outputs=lambda ways, positions: ways,
        prepare_labels=tf.identity,
        mask=_mask,
        loss=_loss,
        score=_score,
        predict=lambda logits, support_y: tf.nn.softmax(restrict(logits, support_y)),
        named_outputs=_named_outputs,
        check_support=_check_support,
        measure=accuracy,
        keep_shots=lambda x, y, shots: (x, keep_shots(y, shots)),
        wrong_labels=_wrong_labels,
        find_fault=_find_fault,
    )


def restrict(logits: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
    """Sets the logits `[E, B, N]` of classes that the support set lacks to `ABSENT`."""
    classes = tf.one_hot(support_y, tf.shape(logits)[-1], dtype=logits.dtype)
    present = tf.reduce_max(classes, axis=1, keepdims=True)
    return logits * present + ABSENT * (1 - present)


def _mask(y: tf.Tensor) -> tf.Tensor:
    return tf.cast(y >= 0, tf.float32)


def _loss(logits: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
    log_p = tf.nn.log_softmax(restrict(logits, support_y))
    # one_hot() of padding is all zeros: it drops out of the sum.
    chosen = tf.one_hot(y, tf.shape(logits)[-1], dtype=logits.dtype)
    counts = tf.reduce_sum(tf.cast(y >= 0, logits.dtype), axis=1)
    return -tf.reduce_sum(chosen * log_p, axis=[1, 2]) / counts


def _score(logits: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
    best = tf.argmax(restrict(logits, support_y), axis=-1, output_type=tf.int32)
    counts = _mask(y)
    return tf.reduce_sum(tf.cast(best == y, tf.float32) * counts, 1) / tf.reduce_sum(counts, 1)


def _named_outputs(probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
    predictions = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
    return {sig.PROBABILITIES: probabilities, sig.PREDICTIONS: predictions}


def _check_support(x, y, example_shape, ways):
    return graph_checks.check_support(x, y, example_shape=example_shape, ways=ways)


def predict_classes(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class of the largest probability and that probability, of probabilities `[E, Q, N]`.

    Gives predictions `[E, Q]` int32 and confidences `[E, Q]` float32: `NO_PREDICTION` and 0 for a
    query with a NaN or an infinity.
    """
    finite = np.isfinite(probabilities).all(axis=-1)
    safe = np.where(finite[..., np.newaxis], probabilities, 0.0)
    predictions = np.where(finite, safe.argmax(axis=-1), NO_PREDICTION)
    return predictions.astype(np.int32), safe.max(axis=-1).astype(np.float32)


def accuracy(probabilities: np.ndarray, query_y: np.ndarray) -> np.ndarray:
    """The share `[E]` of each episode's queries whose predicted class is the true one, float64.

    Of probabilities `[E, Q, N]` and labels `[E, Q]`; -1 marks padding, which does not count.
    """
    return share_right(predict_classes(probabilities)[0], query_y)


def share_right(predictions: np.ndarray, query_y: np.ndarray) -> np.ndarray:
    """The accuracies `[E]` of predicted classes `[E, Q]`; padding does not count."""
    real = query_y != sig.PADDING_LABEL
    return (real & (predictions == query_y)).sum(axis=1) / np.maximum(real.sum(axis=1), 1)


def keep_shots(support_y: np.ndarray, shots: int) -> np.ndarray:
    """Labels `[E, S]` with only the first `shots` examples of every class, -1 for all others."""
    earlier = np.tril(np.ones((support_y.shape[1],) * 2, bool), k=-1)
    same_class = support_y[:, :, np.newaxis] == support_y[:, np.newaxis, :]
    rank = (same_class & earlier).sum(axis=2)
    return np.where(rank < shots, support_y, sig.PADDING_LABEL).astype(support_y.dtype)


def leave_one_out(
    support_y: np.ndarray, index: np.ndarray, *, ways: int
) -> tuple[np.ndarray, np.ndarray]:
    """Marks the support examples of the class `index % ways` of each episode as padding.

    Takes labels `[E, S]` and the numbers of the episodes `[E]`; gives labels `[E, S]` and the
    classes left out `[E]`.
    """
    left_out = index % ways
    inside = support_y != left_out[:, np.newaxis]
    return np.where(inside, support_y, sig.PADDING_LABEL).astype(support_y.dtype), left_out


def _wrong_labels(support_y: np.ndarray, ways: int) -> dict[str, np.ndarray]:
    return {
        "a support set of padding only": np.full_like(support_y, sig.PADDING_LABEL),
        "a label above N - 1": with_first(support_y, ways),
        "a label below -1": with_first(support_y, sig.PADDING_LABEL - 1),
    }


def _find_fault(
    outputs: Mapping[str, np.ndarray], queries: tuple[int, int], ways: int, tolerance: float
) -> str:
    probabilities, predictions = outputs[sig.PROBABILITIES], outputs[sig.PREDICTIONS]
    *shape, classes = probabilities.shape
    if tuple(shape) != queries or classes < ways or predictions.shape != queries:
        return (
            f"`probabilities` must be {(*queries, ways)} and `predictions` {queries}: "
            f"got {probabilities.shape} and {predictions.shape}"
        )
    if not np.isfinite(probabilities).all():
        return "`probabilities` holds a NaN or an infinity"
    if probabilities.min() < 0 or probabilities.max() > 1 + tolerance:
        return "`probabilities` must lie in 0..1"
    difference = np.abs(probabilities.sum(axis=-1) - 1.0).max()
    if difference > tolerance:
        return f"the sum of `probabilities` must be 1: it differs by {difference:.2g}"
    if (predictions != probabilities.argmax(axis=-1)).any():
        return "`predictions` must be the class of the largest probability"
    score = outputs.get(sig.NONE_SCORE, np.zeros(queries))
    if score.shape != queries or not ((score >= 0) & (score <= 1)).all():
        return f"`none_score` must be {queries} in 0..1: got {score.shape}, {score.max()} at most"
    return ""
