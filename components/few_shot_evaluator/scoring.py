"""What one episode tells of a model: every number of the report, before any averaging.

Shape letters: E episodes, N ways, S support examples, Q query examples.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from components.episodes.dataset import parse_episodes
from components.episodes.format import decode_stored
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator import baselines, domains
from components.few_shot_evaluator.metrics import fewer_shots, keep_shots
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.none_of_these import leave_one_out
from components.few_shot_evaluator.options import EvaluationOptions
from components.few_shot_evaluator.task_types import predict_classes
from components.modalities.base import ExampleSpec
from components.modalities.lookup import modality_for


@dataclasses.dataclass(frozen=True)
class EpisodeResult:
    """How one episode was answered.

    Attributes:
      index: the episode's number within the `test` split.
      score: of the model (accuracy, 0..1).
      last_blessed: the same of the last blessed model; `None` if there is none.
      nearest_centroid: the same of nearest centroid on raw inputs.
      per_step: the score before and after each inner step; `None` outside the curves' episodes and
        for a model that does not show its steps.
      per_shots: the score with only so many shots; `None` outside the curves' episodes.
      labels, predictions: of each query.
      confidences: the probability given to the prediction.
      groups: the score of the queries of each group's classes.
      open_set: the same queries asked with a class left out, the fields of
        `none_of_these.OpenSet`; `None` unless the options ask for it.
    """

    index: int
    score: float
    last_blessed: float | None
    nearest_centroid: float
    per_step: list[float] | None
    per_shots: dict[str, float] | None
    labels: list[int]
    predictions: list[int]
    confidences: list[float]
    groups: dict[str, float] = dataclasses.field(default_factory=dict)
    open_set: dict[str, list] | None = None


class Scoring(NamedTuple):
    """What is asked of each episode.

    Attributes:
      spec: of one example.
      data: the section `data` of the episodes' configuration.
      ways, shots: of an episode.
      curve_episodes: the curves are drawn from the episodes of a lower index.
      groups: the group of each class that has one.
      none_of_these: whether each episode is asked again with a class left out.
    """

    spec: ExampleSpec
    data: dict[str, Any]
    ways: int
    shots: int
    curve_episodes: int
    groups: Mapping[str, str]
    none_of_these: bool = False

    @classmethod
    def of(cls, record: EpisodeSetRecord, options: EvaluationOptions) -> "Scoring":
        return cls(
            spec=record.example_spec,
            data=record.config.get("data", {}),
            ways=record.ways,
            shots=record.shots,
            curve_episodes=min(options.curve_episodes, options.episodes),
            groups=record.groups,
            none_of_these=options.none_of_these,
        )


def score_episodes(
    serialized: Sequence[bytes],
    scoring: Scoring,
    model: ExportedModel,
    last_blessed: ExportedModel | None = None,
) -> list[EpisodeResult]:
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
    parsed = {
        name: tensor.numpy() for name, tensor in parse_episodes(serialized, scoring.spec).items()
    }
    inputs = parsed["support_x"], parsed["support_y"], parsed["query_x"]
    index, query_y = parsed["index"], parsed["query_y"]

    answer = model.answer(*inputs)
    scores = model.task.score(answer, query_y)
    predictions, confidences = predict_classes(answer)
    before = None
    if last_blessed is not None:
        before = model.task.score(last_blessed.answer(*inputs), query_y)
    centroid = _nearest_centroid(*inputs, query_y, scoring)

    open_sets = _open_sets(*inputs, query_y, index, scoring, model)

    in_curves = np.flatnonzero(index < scoring.curve_episodes)
    steps, shots = _curves(
        *(part[in_curves] for part in inputs),
        query_y=query_y[in_curves],
        scoring=scoring,
        model=model,
    )
    row_of = {row: position for position, row in enumerate(in_curves.tolist())}

    def result(row: int) -> EpisodeResult:
        position = row_of.get(row)
        real = query_y[row] >= 0
        return EpisodeResult(
            index=int(index[row]),
            score=float(scores[row]),
            last_blessed=None if before is None else float(before[row]),
            nearest_centroid=float(centroid[row]),
            per_step=None if position is None or steps is None else steps[position].tolist(),
            per_shots=None
            if position is None
            else {str(k): float(of_shots[position]) for k, of_shots in shots.items()}
            | {str(scoring.shots): float(scores[row])},
            labels=query_y[row][real].tolist(),
            predictions=predictions[row][real].tolist(),
            confidences=[round(float(value), 6) for value in confidences[row][real]],
            groups=domains.accuracy_of_groups(
                decode_stored(serialized[row]).class_names,
                query_y[row],
                predictions[row] == query_y[row],
                scoring.groups,
            )
            if scoring.groups
            else {},
            open_set=None if open_sets is None else open_sets[row],
        )

    return [result(row) for row in range(len(index))]


def _curves(
    support_x: Any,
    support_y: np.ndarray,
    query_x: Any,
    *,
    query_y: np.ndarray,
    scoring: Scoring,
    model: ExportedModel,
) -> tuple[np.ndarray | None, dict[int, np.ndarray]]:
    """(scores per inner step `[E, steps + 1]` or `None`, {shots: scores `[E]`})."""
    if not len(support_y):
        return None, {}
    steps = None
    if model.has_path:
        path = model.path(support_x, support_y, query_x)
        steps = np.stack(
            [model.task.score(path[:, step], query_y) for step in range(path.shape[1])], axis=1
        )
    shots = {
        k: model.task.score(
            model.answer(support_x, keep_shots(support_y, k), query_x),
            query_y,
        )
        for k in fewer_shots(scoring.shots)
    }
    return steps, shots


def _open_sets(
    support_x: Any,
    support_y: np.ndarray,
    query_x: Any,
    query_y: np.ndarray,
    index: np.ndarray,
    scoring: Scoring,
    model: ExportedModel,
) -> list[dict[str, list]] | None:
    """`EpisodeResult.open_set` of each episode."""
    if not scoring.none_of_these:
        return None
    labels, left_out = leave_one_out(support_y, index, ways=scoring.ways)
    answer = model.answer(support_x, labels, query_x)
    predictions, confidences = predict_classes(answer)
    found = []
    for row, outside in enumerate(query_y == left_out[:, np.newaxis]):
        real = query_y[row] >= 0
        right = predictions[row] == query_y[row]
        found.append(
            {
                "confidences": confidences[row][real].astype(float).round(6).tolist(),
                "outside": outside[real].tolist(),
                "right": right[real].tolist(),
            }
        )
    return found


def _nearest_centroid(
    support_x: Any, support_y: np.ndarray, query_x: Any, query_y: np.ndarray, scoring: Scoring
) -> np.ndarray:
    """`[E]`, the accuracy of nearest centroid on raw inputs."""
    features = modality_for(scoring.spec, scoring.data).raw_features
    predicted = [
        baselines.nearest_centroid(x, y, q, ways=scoring.ways)
        for x, y, q in zip(_of_stack(features, support_x), support_y, _of_stack(features, query_x))
    ]
    real = query_y >= 0
    right = (np.stack(predicted) == query_y) & real
    return right.sum(axis=1) / np.maximum(real.sum(axis=1), 1)


def _of_stack(features: Callable[[Any], np.ndarray], examples: np.ndarray) -> np.ndarray:
    """`[E, n, *example]` to `[E, n, d]`: one call for all episodes."""
    stack = examples.shape[:2]
    return features(examples.reshape(-1, *examples.shape[2:])).reshape(*stack, -1)
