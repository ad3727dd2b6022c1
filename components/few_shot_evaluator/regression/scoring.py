"""What one episode tells of a regression model, before any averaging.

Shape letters: E episodes, S support examples, Q query examples.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from components.episodes.dataset import parse_episodes
from components.few_shot_evaluator.metrics import fewer_shots
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.regression import baselines
from components.few_shot_evaluator.scoring import Scoring
from components.few_shot_evaluator.task_types import mean_squared_error
from components.modalities.lookup import modality_for

SHOWN_EPISODES = 6
"""The report shows the first episodes, neither the best nor the worst."""


@dataclasses.dataclass(frozen=True)
class RegressionResult:
    """How one episode was answered; every score is a mean squared error.

    Attributes:
      index: the episode's number within the `test` split.
      score: of the model; infinite where an answer is not finite.
      last_blessed: of the last blessed model; `None` if there is none.
      baselines: of the answers that need no learning, by name.
      per_step: before and after each inner step; `None` outside the curves' episodes and for a
        model that does not show its steps.
      per_shots: with only so many support examples; `None` outside the curves' episodes.
      unanswered: queries whose answers are not finite.
      answers: of the episodes that the report shows: number of inner steps (0, 1 and the last, or
        "adapted" for a model that does not show its steps) -> answers `[Q][T]`, T the numbers of a
        target.
    """

    index: int
    score: float
    last_blessed: float | None
    baselines: dict[str, float]
    per_step: list[float] | None
    per_shots: dict[str, float] | None
    unanswered: int
    answers: dict[str, list[list[float]]] | None = None


def score_episodes(
    serialized: Sequence[bytes],
    scoring: Scoring,
    model: ExportedModel,
    last_blessed: ExportedModel | None = None,
) -> list[RegressionResult]:
    """Asks the model about some episodes at once; one result each, in the order given.

    Args:
      serialized: episodes as in the `test` split.
      scoring: what is asked.
      model: the one that is judged.
      last_blessed: the one that it is compared with.
    """
    parsed = {
        name: tensor.numpy() for name, tensor in parse_episodes(serialized, scoring.spec).items()
    }
    x, y, query_x = parsed["support_x"], parsed["support_y"], parsed["query_x"]
    index, query_y = parsed["index"], parsed["query_y"]
    answer = model.answer(x, y, query_x)
    scores = mean_squared_error(answer, query_y)
    flat = answer.reshape(*answer.shape[:2], -1)
    unanswered = (~np.isfinite(flat).all(axis=-1)).sum(axis=1)
    before = None
    if last_blessed is not None:
        before = mean_squared_error(last_blessed.answer(x, y, query_x), query_y)
    beaten = _baselines(x, y, query_x, query_y, scoring)

    steps: np.ndarray | None = None
    shown = {"adapted": flat}
    shots: dict[str, np.ndarray] = {}
    drawn = index < scoring.curve_episodes
    if drawn.any():
        curve = x[drawn], y[drawn], query_x[drawn]
        if model.has_path:
            path = model.path(*curve)
            steps = np.stack(
                [mean_squared_error(path[:, k], query_y[drawn]) for k in range(path.shape[1])], 1
            )
            flat_path = path.reshape(*path.shape[:3], -1)
            shown = {str(k): flat_path[:, k] for k in sorted({0, 1, path.shape[1] - 1})}
        for k in fewer_shots(scoring.shots):
            fewer = model.answer(curve[0][:, :k], curve[1][:, :k], curve[2])
            shots[str(k)] = mean_squared_error(fewer, query_y[drawn])
        shots[str(scoring.shots)] = scores[drawn]
    place = np.cumsum(drawn) - 1

    return [
        RegressionResult(
            index=int(index[row]),
            score=float(scores[row]),
            last_blessed=None if before is None else float(before[row]),
            baselines={name: float(values[row]) for name, values in beaten.items()},
            per_step=steps[place[row]].tolist() if drawn[row] and steps is not None else None,
            per_shots={k: float(of_shots[place[row]]) for k, of_shots in shots.items()}
            if drawn[row]
            else None,
            unanswered=int(unanswered[row]),
            answers={k: np.round(one[place[row]], 4).tolist() for k, one in shown.items()}
            if index[row] < SHOWN_EPISODES and drawn[row]
            else None,
        )
        for row in range(len(index))
    ]


def _baselines(
    x: np.ndarray, y: np.ndarray, query_x: np.ndarray, query_y: np.ndarray, scoring: Scoring
) -> dict[str, np.ndarray]:
    """The scores `[E]` of each baseline that these episodes allow."""
    features = modality_for(scoring.spec, scoring.data).raw_features

    def score(answer: Callable[[int], np.ndarray]) -> np.ndarray:
        return mean_squared_error(np.stack([answer(e) for e in range(len(x))]), query_y)

    found = {
        baselines.MEAN_TARGET: score(lambda e: baselines.mean_target(y[e], len(query_x[e]))),
        baselines.NEAREST_NEIGHBOUR: score(
            lambda e: baselines.nearest_neighbour(features(x[e]), y[e], features(query_x[e]))
        ),
    }
    if scoring.spec.modality == "image" and scoring.spec.target_shape == scoring.spec.shape:
        found[baselines.IDENTITY] = score(lambda e: baselines.identity(query_x[e]))
    return found
