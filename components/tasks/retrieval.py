"""Retrieval: a query is answered by one of a list of phrases, the candidates.

A learner predicts a vector o for each query; the candidate whose vector v is nearest answers it:

    p(c | query) = softmax_c(cos(o, v_c) / T),   T = `TEMPERATURE`

The vectors of phrases need no weights (`modalities/phrases.py`), so that candidates may be added
after training. In training and evaluation the candidates of an episode are the phrases of its own
queries (of its support set, for a learner's steps). The empty phrase marks padding.

Shape letters: see `task`; D numbers in the vector of a phrase.

Reference: van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding",
arXiv 1807.03748, equation 4 (the loss).
"""

import numpy as np
import tensorflow as tf

from components.modalities.phrases import phrase_vectors
from components.signed_counts import SIZE
from components.tasks.task import Task
from serving.saved_model import graph_checks
from serving.saved_model import signatures as sig

TEMPERATURE = 1 / 30
_SAME = 0.9999  # vectors of one phrase: their product but for rounding
_NO_CANDIDATE = -1e9


def retrieval() -> Task:
    """The task type of episodes whose examples have phrases."""
    return Task(
        name="retrieval",
        classes=False,
        metric="recall",
        higher_is_better=True,
        label_shape=(),
        label_dtype="string",
        stored_dtype="string",
        prediction=sig.TARGETS,
        path_prediction=sig.TARGETS_PER_STEP,
        output_dtypes={sig.TARGETS: "float32"},
        optional_output_dtypes={},
        network_outputs=lambda ways, positions: SIZE,
        prepare_labels=phrase_vectors,
        mask=_mask,
        loss=_loss,
        score=_score,
        predict=lambda outputs, support_y: tf.math.l2_normalize(outputs, axis=-1, epsilon=1e-9),
        named_outputs=lambda prediction: {sig.TARGETS: prediction},
        check_support=_check_support,
        measure=recall,
        keep_shots=lambda x, y, shots: (x[:, :shots], y[:, :shots]),
        wrong_labels=lambda y, ways: {"a support set of padding only": np.full_like(y, b"")},
        find_fault=_find_fault,
    )


def scores(vectors: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
    """The logits `[..., Q, C]` of candidates for predicted vectors, `[..., Q, D]` and `[C, D]`."""
    unit = tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-9)
    return tf.matmul(unit, candidates, transpose_b=True) / TEMPERATURE


def _mask(y: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.reduce_any(tf.not_equal(y, 0), axis=-1), tf.float32)


def _logits_and_right(outputs: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The logits of the phrases y `[E, B, D]`, and which of them are right, both `[E, B, B]`."""
    real = _mask(y)[:, None, :]
    logits = scores(outputs, y) * real + _NO_CANDIDATE * (1 - real)
    right = tf.matmul(y, y, transpose_b=True) > _SAME
    return logits, right


def _loss(outputs: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
    del support_y
    logits, right = _logits_and_right(outputs, y)
    of_right = tf.reduce_logsumexp(tf.where(right, logits, _NO_CANDIDATE), axis=-1)
    return _mean(tf.reduce_logsumexp(logits, axis=-1) - of_right, y)


def _score(outputs: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
    del support_y
    logits, right = _logits_and_right(outputs, y)
    best = tf.one_hot(tf.argmax(logits, axis=-1), tf.shape(logits)[-1])
    return _mean(tf.reduce_sum(best * tf.cast(right, tf.float32), axis=-1), y)


def _mean(values: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """The mean `[E]` of values `[E, B]` over all examples but padding."""
    real = _mask(y)
    return tf.reduce_sum(values * real, axis=1) / tf.maximum(tf.reduce_sum(real, axis=1), 1)


def recall(targets: np.ndarray, query_y: np.ndarray) -> np.ndarray:
    """The share `[E]` of each episode's queries whose nearest phrase is the right one, float64.

    Of predicted vectors `[E, Q, D]` and phrases `[E, Q]`, bytes; the candidates of an episode are
    the different phrases of its queries.
    """
    shares = []
    for vectors, phrases in zip(targets, query_y):
        names, answers = np.unique(phrases.astype(object), return_inverse=True)
        candidates = phrase_vectors(tf.constant(names)).numpy()
        shares.append(share_right(np.nan_to_num(vectors) @ candidates.T, answers, phrases != b""))
    return np.array(shares, np.float64)


def share_right(similarities: np.ndarray, answers: np.ndarray, real: np.ndarray) -> float:
    """The share of queries whose most similar candidate is the answer; a tie is shared evenly.

    Of similarities `[Q, C]`, the numbers of the right candidates `[Q]`, and which queries count.
    """
    best = similarities >= similarities.max(axis=1, keepdims=True)
    right = best[np.arange(len(answers)), answers] / best.sum(axis=1)
    return float(right[real].mean())


def _check_support(x, y, example_shape, ways):
    del ways
    return graph_checks.check_phrases(x, y, example_shape=example_shape)


def _find_fault(outputs, queries, ways, tolerance) -> str:
    del ways, tolerance
    targets, shape = outputs[sig.TARGETS], (*queries, SIZE)
    if targets.shape != shape:
        return f"`targets` must be {shape}: got {targets.shape}"
    return "" if np.isfinite(targets).all() else "`targets` holds a NaN or an infinity"
