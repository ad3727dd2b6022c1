"""The result of one episode, whatever its task type, before any averaging.

Shape letters: E episodes, C of these that the curves are drawn from, S support examples, Q query
examples, d numbers of an example.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from components.episodes.dataset import parse_episodes, parse_indices
from components.episodes.record import EpisodeSetRecord
from components.episodes.scoring import score_episodes
from components.episodes.types import Episodes
from components.few_shot_evaluator.metrics import fewer_shots
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.options import EvaluationOptions
from components.modalities.base import ExampleSpec
from components.modalities.lookup import modality_for
from components.tasks.task import Prediction


class ScoringPlan(NamedTuple):
    """What a model is scored by on each episode.

    The curves are drawn from the episodes of an index below `curve_episodes`, and the baselines of
    classifiers predict those below `baseline_episodes`. With `none_of_these`
    each episode is predicted again with a class left out.
    """

    spec: ExampleSpec
    ways: int
    shots: int
    curve_episodes: int
    baseline_episodes: int
    groups: Mapping[str, str]  # the group of each class that has one
    none_of_these: bool = False
    # Texts: `classification.text_features.training_weights`, or `None` for those of support sets.
    text_weights: Sequence[Any] | None = None

    @classmethod
    def of(cls, record: EpisodeSetRecord, options: EvaluationOptions) -> "ScoringPlan":
        """The plan for a set of episodes and the section `evaluation`."""
        return cls(
            spec=record.example_spec,
            ways=record.ways,
            shots=record.shots,
            curve_episodes=min(options.curve_episodes, options.episodes),
            baseline_episodes=min(options.baseline_episodes, options.episodes),
            groups=record.groups,
            none_of_these=options.none_of_these,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class EpisodeResult:
    """The scores of one episode, all in the metric of the task type.

    `per_step` and `per_shots` are `None` outside the curves' episodes, `per_step` also for a model
    that does not show its steps.
    """

    index: int  # the episode's number within its split
    score: float  # of the model
    last_blessed: float | None  # score of the last blessed model, if there is one
    baselines: dict[str, float]  # scores of predictions that need no learning, by name
    per_step: list[float] | None  # scores before and after each inner step
    per_shots: dict[str, float] | None  # scores with only so many shots
    classes: dict[str, list[float]]  # by class: the sum of its queries' scores, their number
    not_finite: int  # number of queries with predictions that are not finite


class ModelPredictions(NamedTuple):
    """The predictions of a model for a stack of episodes, and their scores.

    `in_curves` are the places in the stack of the episodes that the curves are drawn from, `path`
    their predictions before and after each inner step, if the model shows them; `results` the
    fields of each episode's `EpisodeResult`, but for `baselines` and `classes`.
    """

    indices: np.ndarray  # [E], the episodes' numbers within their split
    episodes: Episodes
    prediction: Prediction  # [E, Q, ...]
    in_curves: np.ndarray  # [C]
    path: np.ndarray | None  # [C, steps + 1, Q, ...]
    results: list[dict[str, Any]]


def predict_and_score(
    serialized: Sequence[bytes],
    plan: ScoringPlan,
    model: ExportedModel,
    last_blessed: ExportedModel | None,
) -> ModelPredictions:
    """Predicts E serialised episodes in one call, and scores all that every task type has."""
    indices = parse_indices(serialized).numpy()
    episodes = parse_episodes(serialized, plan.spec).numpy()
    task = model.task
    prediction = model.predict(episodes)
    scores = task.measure(prediction, episodes.query_y)
    before = score_episodes(last_blessed.predict, [episodes], task) if last_blessed else None
    finite = np.isfinite(prediction).reshape(*prediction.shape[:2], -1).all(axis=-1)

    in_curves = np.flatnonzero(indices < plan.curve_episodes)
    chosen = Episodes(*(part[in_curves] for part in episodes))
    path, steps, shots = _curves(chosen, plan, model)
    shots[plan.shots] = scores[in_curves]
    place = {row: place for place, row in enumerate(in_curves.tolist())}

    def result(row: int) -> dict[str, Any]:
        at = place.get(row)
        per_shots = None
        if at is not None:
            per_shots = {str(k): float(of_k[at]) for k, of_k in shots.items()}
        return {
            "index": int(indices[row]),
            "score": float(scores[row]),
            "last_blessed": None if before is None else float(before[row]),
            "per_step": None if at is None or steps is None else steps[at].tolist(),
            "per_shots": per_shots,
            "not_finite": int((~finite[row]).sum()),
        }

    results = [result(row) for row in range(len(scores))]
    return ModelPredictions(indices, episodes, prediction, in_curves, path, results)


def raw_features(episodes: Episodes, spec: ExampleSpec) -> tuple[np.ndarray, np.ndarray]:
    """Support and query examples as plain vectors, `[E, S, d]` and `[E, Q, d]`, for baselines."""
    features = modality_for(spec).raw_features

    def flatten(examples: np.ndarray) -> np.ndarray:
        flat = features(examples.reshape(-1, *examples.shape[2:]))
        return flat.reshape(*examples.shape[:2], -1)

    return flatten(episodes.support_x), flatten(episodes.query_x)


def _curves(
    episodes: Episodes, plan: ScoringPlan, model: ExportedModel
) -> tuple[np.ndarray | None, np.ndarray | None, dict[int, np.ndarray]]:
    """(predictions per inner step, their scores `[C, steps + 1]`, {shots: scores `[C]`})."""
    if not len(episodes.query_y):
        return None, None, {}
    task, path, steps = model.task, None, None
    if model.has_path:
        path = model.path(episodes)
        scores = [task.measure(path[:, k], episodes.query_y) for k in range(path.shape[1])]
        steps = np.stack(scores, axis=1)
    shots = {}
    for k in fewer_shots(plan.shots):
        support_x, support_y = task.keep_shots(episodes.support_x, episodes.support_y, k)
        fewer = episodes._replace(support_x=support_x, support_y=support_y)
        shots[k] = score_episodes(model.predict, [fewer], task)
    return path, steps, shots
