"""What one episode tells of a model of any task, before any averaging.

Shape letters: E episodes, S support examples, Q query examples.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from components.episodes.dataset import parse_episodes, parse_indices
from components.episodes.record import EpisodeSetRecord
from components.few_shot_evaluator.metrics import fewer_shots
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.options import EvaluationOptions
from components.modalities.base import ExampleSpec
from components.modalities.lookup import modality_for


class Scoring(NamedTuple):
    """What is asked of each episode.

    Attributes:
      spec: of one example.
      ways, shots: of an episode.
      curve_episodes: the curves are drawn from the episodes of a lower index.
      groups: the group of each class that has one.
      none_of_these: whether each episode is asked again with a class left out.
    """

    spec: ExampleSpec
    ways: int
    shots: int
    curve_episodes: int
    groups: Mapping[str, str]
    none_of_these: bool = False

    @classmethod
    def of(cls, record: EpisodeSetRecord, options: EvaluationOptions) -> "Scoring":
        """What these options ask of these episodes."""
        return cls(
            spec=record.example_spec,
            ways=record.ways,
            shots=record.shots,
            curve_episodes=min(options.curve_episodes, options.episodes),
            groups=record.groups,
            none_of_these=options.none_of_these,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class EpisodeResult:
    """How one episode was answered; every score is that of the type of task.

    Attributes:
      index: the episode's number within its split.
      score: of the model.
      last_blessed: of the last blessed model; `None` if there is none.
      baselines: of the answers that need no learning, by name.
      per_step: before and after each inner step; `None` outside the curves' episodes and for a
        model that does not show its steps.
      per_shots: with only so many shots; `None` outside the curves' episodes.
      unanswered: queries whose answers are not finite.
    """

    index: int
    score: float
    last_blessed: float | None
    baselines: dict[str, float]
    per_step: list[float] | None
    per_shots: dict[str, float] | None
    unanswered: int


class Stack(NamedTuple):
    """Some episodes that a model is asked about at once, in NumPy."""

    indices: np.ndarray
    support_x: np.ndarray
    support_y: np.ndarray
    query_x: np.ndarray
    query_y: np.ndarray

    @classmethod
    def read(cls, serialized: Sequence[bytes], spec: ExampleSpec) -> "Stack":
        """Of serialised episodes, in the order given."""
        episodes = parse_episodes(serialized, spec).numpy()
        return cls(parse_indices(serialized).numpy(), *episodes)

    @property
    def inputs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What a model is given."""
        return self.support_x, self.support_y, self.query_x

    def rows(self, chosen: np.ndarray) -> "Stack":
        """Those of the episodes, by their places in the stack."""
        return Stack(*(part[chosen] for part in self))

    def raw_features(self, scoring: Scoring) -> tuple[np.ndarray, np.ndarray]:
        """`[E, S, d]` and `[E, Q, d]`: what baselines see of support and query examples."""
        features = modality_for(scoring.spec).raw_features

        def of(examples: np.ndarray) -> np.ndarray:
            flat = features(examples.reshape(-1, *examples.shape[2:]))
            return flat.reshape(*examples.shape[:2], -1)

        return of(self.support_x), of(self.query_x)


class Asked(NamedTuple):
    """What a model said about a stack of episodes.

    Attributes:
      answer: `[E, Q, ...]`.
      in_curves: `[C]`, the rows of the episodes that the curves are drawn from.
      path: their answers before and after each inner step, `[C, steps + 1, Q, ...]`; `None` for a
        model that does not show its steps.
      results: the fields of each episode's `EpisodeResult`, but for `baselines`.
    """

    answer: np.ndarray
    in_curves: np.ndarray
    path: np.ndarray | None
    results: list[dict[str, Any]]


def ask(
    stack: Stack, scoring: Scoring, model: ExportedModel, last_blessed: ExportedModel | None
) -> Asked:
    """Asks a model, and what it is compared with, all that is asked of any task."""
    score = model.task.measure
    answer = model.answer(*stack.inputs)
    scores = score(answer, stack.query_y)
    before = None
    if last_blessed is not None:
        before = score(last_blessed.answer(*stack.inputs), stack.query_y)
    finite = np.isfinite(answer).reshape(*answer.shape[:2], -1).all(axis=-1)

    in_curves = np.flatnonzero(stack.indices < scoring.curve_episodes)
    path, steps, shots = _curves(stack.rows(in_curves), scoring, model)
    shots[scoring.shots] = scores[in_curves]
    place = {row: place for place, row in enumerate(in_curves.tolist())}

    def result(row: int) -> dict[str, Any]:
        drawn = place.get(row)
        return {
            "index": int(stack.indices[row]),
            "score": float(scores[row]),
            "last_blessed": None if before is None else float(before[row]),
            "per_step": None if drawn is None or steps is None else steps[drawn].tolist(),
            "per_shots": None
            if drawn is None
            else {str(k): float(of_shots[drawn]) for k, of_shots in shots.items()},
            "unanswered": int((~finite[row]).sum()),
        }

    return Asked(answer, in_curves, path, [result(row) for row in range(len(scores))])


def _curves(
    stack: Stack, scoring: Scoring, model: ExportedModel
) -> tuple[np.ndarray | None, np.ndarray | None, dict[int, np.ndarray]]:
    """(answers per inner step, their scores `[C, steps + 1]`, {shots: scores `[C]`})."""
    if not len(stack.indices):
        return None, None, {}
    score, path, steps = model.task.measure, None, None
    if model.has_path:
        path = model.path(*stack.inputs)
        steps = np.stack([score(path[:, k], stack.query_y) for k in range(path.shape[1])], axis=1)
    shots = {
        k: score(
            model.answer(
                *model.task.keep_shots(stack.support_x, stack.support_y, k), stack.query_x
            ),
            stack.query_y,
        )
        for k in fewer_shots(scoring.shots)
    }
    return path, steps, shots
