"""The result of one episode of a regression model, before any averaging.

Shape letters: E episodes, S support examples, Q query examples.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from components.episodes.format import decode_stored
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.regression import baselines
from components.few_shot_evaluator.scoring import (
    EpisodeResult,
    ModelPredictions,
    ScoringPlan,
    predict_and_score,
    raw_features,
)
from components.tasks.regression import mean_squared_error

SHOWN_EPISODES = 6
"""The report shows the first episodes, neither the best nor the worst."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegressionResult(EpisodeResult):
    """The result of one episode; every score is a mean squared error.

    A score is infinite where a prediction is not finite. `predictions` are `[Q][T]` (T numbers of a
    target) by number of inner steps: 0, 1 and the last, or "adapted" for a model that does not show
    its steps; `None` for an episode that the report does not show.
    """

    predictions: dict[str, list[list[float]]] | None


def evaluate_episodes(
    serialized: Sequence[bytes],
    plan: ScoringPlan,
    model: ExportedModel,
    last_blessed: ExportedModel | None = None,
) -> list[RegressionResult]:
    """Evaluates a model on some episodes at once, as `classification.scoring.evaluate_episodes`."""
    scored = predict_and_score(serialized, plan, model, last_blessed)
    of_baselines, shown = _baselines(scored, plan), _shown_predictions(scored)
    return [
        RegressionResult(
            **scored.results[row],
            baselines={name: float(values[row]) for name, values in of_baselines.items()},
            classes={name: [scored.results[row]["score"], 1.0]},
            predictions=shown.get(row),
        )
        for row, name in enumerate(decode_stored(one).class_names[0] for one in serialized)
    ]


def _shown_predictions(scored: ModelPredictions) -> dict[int, dict[str, list[list[float]]]]:
    """`RegressionResult.predictions` by place in the stack."""
    by_row = {}
    for place, row in enumerate(scored.in_curves.tolist()):
        if scored.indices[row] >= SHOWN_EPISODES:
            continue
        if scored.path is None:
            shown = {"adapted": scored.prediction[row]}
        else:
            path = scored.path[place]
            shown = {str(k): path[k] for k in sorted({0, 1, len(path) - 1})}
        by_row[row] = {
            name: np.round(prediction.reshape(len(prediction), -1), 4).tolist()
            for name, prediction in shown.items()
        }
    return by_row


def _baselines(scored: ModelPredictions, plan: ScoringPlan) -> dict[str, np.ndarray]:
    """The scores `[E]` of each baseline that these episodes allow."""
    episodes = scored.episodes
    support, query = raw_features(episodes, plan.spec)

    def score(predictions: Iterable[np.ndarray]) -> np.ndarray:
        return mean_squared_error(np.stack(list(predictions)), episodes.query_y)

    scores = {
        baselines.MEAN_TARGET: score(
            baselines.mean_target(y, len(q)) for y, q in zip(episodes.support_y, query)
        ),
        baselines.NEAREST_NEIGHBOUR: score(
            baselines.nearest_neighbour(x, y, q)
            for x, y, q in zip(support, episodes.support_y, query)
        ),
    }
    if plan.spec.image_to_image:
        scores[baselines.IDENTITY] = score(map(baselines.identity, episodes.query_x))
    return scores
