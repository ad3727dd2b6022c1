"""Regression of real-valued targets by mean squared error; there is no padding.

Shape letters: see `task`; D numbers in a target.
"""

import math

import numpy as np
import tensorflow as tf

from components.tasks.task import Task, with_first
from serving.saved_model import graph_checks
from serving.saved_model import signatures as sig


def regression(target_shape: tuple[int, ...] = (1,)) -> Task:
    """The task type of episodes whose examples have float32 targets of the shape `target_shape`."""

    def predict(outputs: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
        del support_y
        return tf.reshape(outputs, tf.concat([tf.shape(outputs)[:2], target_shape], axis=0))

    def check_support(x, y, example_shape, ways):
        del ways
        shapes = {"example_shape": example_shape, "target_shape": target_shape}
        return graph_checks.check_targets(x, y, **shapes)

    def find_fault(outputs, queries, ways, tolerance) -> str:
        del ways, tolerance
        targets, shape = outputs[sig.TARGETS], (*queries, *target_shape)
        if targets.shape != shape:
            return f"`targets` must be {shape}: got {targets.shape}"
        return "" if np.isfinite(targets).all() else "`targets` holds a NaN or an infinity"

    return Task(
        name="regression",
        classes=False,
        metric="mean_squared_error",
        higher_is_better=False,
        label_shape=target_shape,
        label_dtype="float32",
        stored_dtype="float32",
        prediction=sig.TARGETS,
        path_prediction=sig.TARGETS_PER_STEP,
        output_dtypes={sig.TARGETS: "float32"},
        optional_output_dtypes={},
        network_outputs=lambda ways, positions: math.prod(target_shape) // math.prod(positions),
        prepare_labels=tf.identity,
        mask=lambda y: tf.ones(tf.shape(y)[:2]),
        loss=_loss,
        score=lambda outputs, y, support_y: -_loss(outputs, y, support_y),
        predict=predict,
        named_outputs=lambda prediction: {sig.TARGETS: prediction},
        check_support=check_support,
        measure=mean_squared_error,
        keep_shots=lambda x, y, shots: (x[:, :shots], y[:, :shots]),
        wrong_labels=_wrong_labels,
        find_fault=find_fault,
    )


def _loss(outputs: tf.Tensor, y: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
    del support_y
    difference = _flat(outputs) - tf.cast(_flat(y), outputs.dtype)
    return tf.reduce_mean(tf.square(difference), axis=[1, 2])


def _flat(y: tf.Tensor) -> tf.Tensor:
    """`[E, B, ...]` to `[E, B, D]`."""
    if y.shape.rank == 3:
        return y
    return tf.reshape(y, tf.concat([tf.shape(y)[:2], [math.prod(y.shape[2:])]], axis=0))


def mean_squared_error(targets: np.ndarray, query_y: np.ndarray) -> np.ndarray:
    """The mean over the queries of each episode and the numbers of each target, `[E]` float64.

    Predictions and truth are `[E, Q, ...target]`; the error is infinite where a prediction is not
    finite.
    """
    squares = np.square(np.asarray(targets, np.float64) - query_y)
    error = squares.reshape(len(squares), -1).mean(axis=1)
    return np.where(np.isfinite(error), error, np.inf)


def _wrong_labels(support_y: np.ndarray, ways: int) -> dict[str, np.ndarray]:
    del ways
    of_nan = with_first(support_y, np.nan)
    return {"NaN in support_y": of_nan, "targets of another size": support_y[..., :0]}
