"""What an answer is worth, for each type of task: the one place that tells them apart."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from components.few_shot_evaluator.metrics import keep_shots
from serving.saved_model import signatures


class TaskType(NamedTuple):
    """How the answers of a model are read and scored.

    Attributes:
      name: "classification" or "regression".
      metric: what `score` gives.
      higher_is_better: whether more of it is better.
      output: the output of `serving_default` that holds the answer.
      path_output: the output of `adaptation_path` that holds it for every inner step.
      score: (answer `[E, Q, ...]`, query labels `[E, Q, ...]`) -> `[E]`, one score an episode.
      keep_shots: (support inputs, support labels, k) -> both, of which only k shots count.
    """

    name: str
    metric: str
    higher_is_better: bool
    output: str
    path_output: str
    score: Callable[[np.ndarray, np.ndarray], np.ndarray]
    keep_shots: Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


NO_ANSWER = -2  # no label, and not the padding label either: it is never right


def predict_classes(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class of the largest probability and that probability.

    Args:
      probabilities: `[E, Q, N]` float. A query with a NaN or an infinity among them has no answer.

    Returns:
      predictions `[E, Q]` int32 (`NO_ANSWER` where there is none) and confidences `[E, Q]` float32
      (0 where there is none).
    """
    finite = np.isfinite(probabilities).all(axis=-1)
    safe = np.where(finite[..., np.newaxis], probabilities, 0.0)
    predictions = np.where(finite, safe.argmax(axis=-1), NO_ANSWER)
    return predictions.astype(np.int32), safe.max(axis=-1).astype(np.float32)


def accuracy(probabilities: np.ndarray, query_y: np.ndarray) -> np.ndarray:
    """The share of the queries of each episode that are answered rightly.

    Args:
      probabilities: `[E, Q, N]` float.
      query_y: `[E, Q]` int; -1 marks padding, which does not count.

    Returns:
      `[E]` float64, 0..1.
    """
    predictions, _ = predict_classes(probabilities)
    real = query_y != signatures.PADDING_LABEL
    return (real & (predictions == query_y)).sum(axis=1) / np.maximum(real.sum(axis=1), 1)


def mean_squared_error(answers: np.ndarray, query_y: np.ndarray) -> np.ndarray:
    """The mean over the queries of each episode and the numbers of each target.

    Args:
      answers, query_y: `[E, Q, ...target]` float.

    Returns:
      `[E]` float64; infinite where an answer is not finite.
    """
    squares = np.square(np.asarray(answers, np.float64) - query_y)
    error = squares.reshape(len(squares), -1).mean(axis=1)
    return np.where(np.isfinite(error), error, np.inf)


CLASSIFICATION = TaskType(
    name="classification",
    metric="accuracy",
    higher_is_better=True,
    output=signatures.PROBABILITIES,
    path_output=signatures.PROBABILITIES_PER_STEP,
    score=accuracy,
    keep_shots=lambda x, y, shots: (x, keep_shots(y, shots)),
)

REGRESSION = TaskType(
    name="regression",
    metric="mean_squared_error",
    higher_is_better=False,
    output=signatures.TARGETS,
    path_output=signatures.TARGETS_PER_STEP,
    score=mean_squared_error,
    keep_shots=lambda x, y, shots: (x[:, :shots], y[:, :shots]),
)
