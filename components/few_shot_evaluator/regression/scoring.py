"""What one episode tells of a regression model, before any averaging.

Shape letters: E episodes, S support examples, Q query examples.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.regression import baselines
from components.few_shot_evaluator.scoring import Asked, EpisodeResult, Scoring, Stack, ask
from components.tasks.regression import mean_squared_error

SHOWN_EPISODES = 6
"""The report shows the first episodes, neither the best nor the worst."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegressionResult(EpisodeResult):
    """How one episode was answered; every score is a mean squared error, infinite where an answer
    is not finite.

    Attributes:
      answers: of the episodes that the report shows: number of inner steps (0, 1 and the last, or
        "adapted" for a model that does not show its steps) -> answers `[Q][T]`, T the numbers of a
        target.
    """

    answers: dict[str, list[list[float]]] | None


def score_episodes(
    serialized: Sequence[bytes],
    scoring: Scoring,
    model: ExportedModel,
    last_blessed: ExportedModel | None = None,
) -> list[RegressionResult]:
    """As `classification.scoring.score_episodes`, for float targets."""
    stack = Stack.read(serialized, scoring.spec)
    asked = ask(stack, scoring, model, last_blessed)
    beaten, answers = _baselines(stack, scoring), _answers(stack, asked)
    return [
        RegressionResult(
            **asked.results[row],
            baselines={name: float(values[row]) for name, values in beaten.items()},
            answers=answers.get(row),
        )
        for row in range(len(serialized))
    ]


def _answers(stack: Stack, asked: Asked) -> dict[int, dict[str, list[list[float]]]]:
    """`RegressionResult.answers` of the rows that have some."""
    found = {}
    for place, row in enumerate(asked.in_curves.tolist()):
        if stack.indices[row] >= SHOWN_EPISODES:
            continue
        if asked.path is None:
            shown = {"adapted": asked.answer[row]}
        else:
            path = asked.path[place]
            shown = {str(k): path[k] for k in sorted({0, 1, len(path) - 1})}
        found[row] = {
            name: np.round(answer.reshape(len(answer), -1), 4).tolist()
            for name, answer in shown.items()
        }
    return found


def _baselines(stack: Stack, scoring: Scoring) -> dict[str, np.ndarray]:
    """The scores `[E]` of each baseline that these episodes allow."""
    support, query = stack.raw_features(scoring)

    def score(answers: Iterable[np.ndarray]) -> np.ndarray:
        return mean_squared_error(np.stack(list(answers)), stack.query_y)

    found = {
        baselines.MEAN_TARGET: score(
            baselines.mean_target(y, len(q)) for y, q in zip(stack.support_y, stack.query_x)
        ),
        baselines.NEAREST_NEIGHBOUR: score(
            baselines.nearest_neighbour(x, y, q) for x, y, q in zip(support, stack.support_y, query)
        ),
    }
    if scoring.spec.image_to_image:
        found[baselines.IDENTITY] = score(map(baselines.identity, stack.query_x))
    return found
