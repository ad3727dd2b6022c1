"""The result of one episode of a model that answers with phrases, before any averaging."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from components.episodes.format import decode_stored
from components.episodes.types import Episodes
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.retrieval.baselines import Pairs, similarities
from components.few_shot_evaluator.scoring import EpisodeResult, ScoringPlan, predict_and_score
from components.modalities.phrases import phrase_vectors
from components.tasks.retrieval import share_right

SHOWN_EPISODES = 6
SHOWN_QUERIES = 8
"""The report shows the first queries of the first episodes, neither the best nor the worst."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RetrievalResult(EpisodeResult):
    """The result of one episode; every score is a recall.

    `answers` are (query, right phrase, phrase given) of the queries that the report shows; `None`
    for an episode that it does not show.
    """

    answers: list[list[str]] | None


def evaluate_episodes(
    serialized: Sequence[bytes],
    plan: ScoringPlan,
    model: ExportedModel,
    last_blessed: ExportedModel | None = None,
) -> list[RetrievalResult]:
    """Evaluates a model on some episodes at once, as `classification.scoring.evaluate_episodes`."""
    scored = predict_and_score(serialized, plan, model, last_blessed)
    names = [decode_stored(one).class_names[0] for one in serialized]
    queries = scored.episodes.query_x.shape[1]
    results = []
    for row, name in enumerate(names):
        episode = Episodes(*(part[row] for part in scored.episodes))
        result = scored.results[row]
        in_baselines = result["index"] < plan.baseline_episodes
        shown = result["index"] < SHOWN_EPISODES
        results.append(
            RetrievalResult(
                **result,
                baselines=_baselines(episode) if in_baselines else {},
                classes={name: [result["score"] * queries, queries]},
                answers=_answers(episode, scored.prediction[row]) if shown else None,
            )
        )
    return results


def _baselines(episode: Episodes) -> dict[str, float]:
    """The recall of each baseline."""
    candidates, answers = np.unique(episode.query_y, return_inverse=True)
    pairs = Pairs(episode.support_x, episode.support_y, episode.query_x, candidates)
    real = np.ones(len(answers), bool)
    return {
        name: share_right(values, answers, real) for name, values in similarities(pairs).items()
    }


def _answers(episode: Episodes, targets: np.ndarray) -> list[list[str]]:
    candidates = np.unique(episode.query_y)
    similarity = targets[:SHOWN_QUERIES] @ phrase_vectors(candidates).numpy().T
    given = candidates[similarity.argmax(axis=1)]
    rows = zip(episode.query_x[:SHOWN_QUERIES], episode.query_y, given)
    return [[text.decode() for text in row] for row in rows]
