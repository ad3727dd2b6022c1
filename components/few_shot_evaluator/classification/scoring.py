"""What one episode tells of a classifier, before any averaging.

Shape letters: E episodes, N ways, S support examples, Q query examples.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from components.episodes.format import decode_stored
from components.few_shot_evaluator.classification import baselines, domains
from components.few_shot_evaluator.classification.none_of_these import leave_one_out
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.scoring import EpisodeResult, Scoring, Stack, ask
from components.tasks.classification import predict_classes


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassificationResult(EpisodeResult):
    """How one episode was answered; every score is an accuracy, 0..1.

    Attributes:
      labels, predictions: of each query.
      confidences: the probability given to the prediction.
      groups: the score of the queries of each group's classes.
      open_set: the same queries asked with a class left out, the fields of
        `none_of_these.OpenSet`; `None` unless the options ask for it.
    """

    labels: list[int]
    predictions: list[int]
    confidences: list[float]
    groups: dict[str, float]
    open_set: dict[str, list] | None


def score_episodes(
    serialized: Sequence[bytes],
    scoring: Scoring,
    model: ExportedModel,
    last_blessed: ExportedModel | None = None,
) -> list[ClassificationResult]:
    """Asks the model about some episodes at once.

    Args:
      serialized: episodes as in the `test` split.
      scoring: what is asked.
      model: the one that is judged.
      last_blessed: the one that it is compared with.

    Returns:
      One result an episode, in the order given. A result does not depend on which episodes were
      asked about together.
    """
    stack = Stack.read(serialized, scoring.spec)
    asked = ask(stack, scoring, model, last_blessed)
    predictions, confidences = predict_classes(asked.answer)
    centroid = _nearest_centroid(stack, scoring)
    open_sets = _open_sets(stack, scoring, model)

    def result(row: int) -> ClassificationResult:
        labels = stack.query_y[row]
        real = labels >= 0
        return ClassificationResult(
            **asked.results[row],
            baselines={baselines.NEAREST_CENTROID: float(centroid[row])},
            labels=labels[real].tolist(),
            predictions=predictions[row][real].tolist(),
            confidences=[round(float(value), 6) for value in confidences[row][real]],
            groups=domains.accuracy_of_groups(
                decode_stored(serialized[row]).class_names,
                labels,
                predictions[row] == labels,
                scoring.groups,
            )
            if scoring.groups
            else {},
            open_set=None if open_sets is None else open_sets[row],
        )

    return [result(row) for row in range(len(serialized))]


def _open_sets(
    stack: Stack, scoring: Scoring, model: ExportedModel
) -> list[dict[str, list]] | None:
    """`ClassificationResult.open_set` of each episode."""
    if not scoring.none_of_these:
        return None
    labels, left_out = leave_one_out(stack.support_y, stack.indices, ways=scoring.ways)
    answer = model.answer(stack.support_x, labels, stack.query_x)
    predictions, confidences = predict_classes(answer)
    found = []
    for row, outside in enumerate(stack.query_y == left_out[:, np.newaxis]):
        real = stack.query_y[row] >= 0
        right = predictions[row] == stack.query_y[row]
        found.append(
            {
                "confidences": confidences[row][real].astype(float).round(6).tolist(),
                "outside": outside[real].tolist(),
                "right": right[real].tolist(),
            }
        )
    return found


def _nearest_centroid(stack: Stack, scoring: Scoring) -> np.ndarray:
    """`[E]`, the accuracy of nearest centroid on raw inputs."""
    predicted = [
        baselines.nearest_centroid(x, y, q, ways=scoring.ways)
        for (x, q), y in zip(zip(*stack.raw_features(scoring)), stack.support_y)
    ]
    real = stack.query_y >= 0
    right = (np.stack(predicted) == stack.query_y) & real
    return right.sum(axis=1) / np.maximum(real.sum(axis=1), 1)
