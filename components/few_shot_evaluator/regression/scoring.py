"""The result of one episode of a regression model, before any averaging.

Shape letters: E episodes, S support examples, Q query examples.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

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
MODEL = "model"
SHOWN_BASELINE = "affine_colour_map"
SMALLEST_SIMILAR = 11
"""Smallest height and width of images that have a structural similarity: the size of its window."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RegressionResult(EpisodeResult):
    """The result of one episode; every score is a mean squared error.

    A score is infinite where a prediction is not finite. `predictions` are `[Q][T]` (T numbers of a
    target) by number of inner steps: 0, 1 and the last, or "adapted" for a model that does not show
    its steps; of images also "affine_colour_map", a baseline. `None` for an episode that the report
    does not show. `similarity` is the structural similarity (SSIM, higher is better) of the model
    and of each baseline, of images that are large enough; empty outside the curves' episodes.
    """

    predictions: dict[str, list[list[float]]] | None
    similarity: dict[str, float]


def evaluate_episodes(
    serialized: Sequence[bytes],
    plan: ScoringPlan,
    model: ExportedModel,
    last_blessed: ExportedModel | None = None,
) -> list[RegressionResult]:
    """Evaluates a model on some episodes at once, as `classification.scoring.evaluate_episodes`."""
    scored = predict_and_score(serialized, plan, model, last_blessed)
    truth = scored.episodes.query_y
    answers = _baselines(scored, plan)
    of_baselines = {name: mean_squared_error(answer, truth) for name, answer in answers.items()}
    shown = _shown_predictions(scored, answers)
    similar: dict[int, dict[str, float]] = {}
    if plan.spec.image_to_image and min(truth.shape[2:4]) >= SMALLEST_SIMILAR:
        places = scored.in_curves
        named = {
            name: structural_similarity(answer[places], truth[places])
            for name, answer in ({MODEL: scored.prediction} | answers).items()
        }
        for at, row in enumerate(places.tolist()):
            similar[row] = {name: float(values[at]) for name, values in named.items()}
    return [
        RegressionResult(
            **scored.results[row],
            baselines={name: float(values[row]) for name, values in of_baselines.items()},
            classes={name: [scored.results[row]["score"], 1.0]},
            predictions=shown.get(row),
            similarity=similar.get(row, {}),
        )
        for row, name in enumerate(decode_stored(one).class_names[0] for one in serialized)
    ]


def structural_similarity(images: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The mean SSIM of the queries of each episode, `[E]`; both are `[E, Q, H, W, C]` in 0..1.

    Reference: Wang et al. 2004, "Image quality assessment: from error visibility to structural
    similarity", with windows of 11 x 11 pixels.
    """
    images = np.clip(np.nan_to_num(images), 0.0, 1.0).astype(np.float32)
    # An episode at a time: windows of all would take several times the memory of the images.
    pairs = zip(images, truth.astype(np.float32))
    return np.array([tf.reduce_mean(tf.image.ssim(*pair, max_val=1.0)).numpy() for pair in pairs])


def _shown_predictions(
    scored: ModelPredictions, answers: Mapping[str, np.ndarray]
) -> dict[int, dict[str, list[list[float]]]]:
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
        if SHOWN_BASELINE in answers:
            shown[SHOWN_BASELINE] = answers[SHOWN_BASELINE][row]
        by_row[row] = {
            name: np.round(prediction.reshape(len(prediction), -1), 4).tolist()
            for name, prediction in shown.items()
        }
    return by_row


def _baselines(scored: ModelPredictions, plan: ScoringPlan) -> dict[str, np.ndarray]:
    """The predictions `[E, Q, *target]` of each baseline that these episodes allow."""
    episodes = scored.episodes
    support, query = raw_features(episodes, plan.spec)
    y = episodes.support_y

    def of_each(predict: Callable[..., np.ndarray], *parts: np.ndarray) -> np.ndarray:
        return np.stack([predict(*of_episode) for of_episode in zip(*parts)])

    answers = {
        baselines.MEAN_TARGET: of_each(lambda y, q: baselines.mean_target(y, len(q)), y, query),
        baselines.NEAREST_NEIGHBOUR: of_each(baselines.nearest_neighbour, support, y, query),
    }
    if plan.spec.image_to_image:
        images = episodes.support_x, y, episodes.query_x
        answers[baselines.IDENTITY] = baselines.identity(episodes.query_x)
        for name, degree in baselines.COLOUR_MAPS.items():
            answers[name] = of_each(functools.partial(baselines.colour_map, degree=degree), *images)
    return answers
