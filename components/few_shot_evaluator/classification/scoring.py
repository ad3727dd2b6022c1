"""The result of one episode of a classifier, before any averaging.

Shape letters: E episodes, N ways, S support examples, Q query examples.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from components.episodes.format import decode_stored
from components.episodes.types import Episodes
from components.few_shot_evaluator.classification import baselines, domains
from components.few_shot_evaluator.classification.none_of_these import (
    FAMILIARITY,
    LARGEST_PROBABILITY,
)
from components.few_shot_evaluator.classification.temperature import log_losses, uncalibrate
from components.few_shot_evaluator.model import ExportedModel
from components.few_shot_evaluator.scoring import (
    EpisodeResult,
    ModelPredictions,
    ScoringPlan,
    predict_and_score,
)
from components.tasks.classification import leave_one_out, predict_classes
from serving.saved_model import signatures as sig


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassificationResult(EpisodeResult):
    """The result of one episode; every score is an accuracy, 0..1.

    `open_set` holds the same queries predicted with a class left out: two kinds of confidence
    (see `none_of_these`), outside and right; `None` unless the options ask for it.
    """

    labels: list[int]  # true class of each query
    predictions: list[int]
    confidences: list[float]  # the probability given to each prediction
    log_losses: list[float]  # -log of the probability given to the true class, in nats
    uncalibrated: dict[str, list[float]]  # confidences and log_losses without the temperature
    groups: dict[str, float]  # accuracy of the queries of each group's classes
    open_set: dict[str, list] | None


def evaluate_episodes(
    serialized: Sequence[bytes],
    plan: ScoringPlan,
    model: ExportedModel,
    last_blessed: ExportedModel | None = None,
) -> list[ClassificationResult]:
    """Evaluates a model on some episodes at once: one result an episode, in the order given.

    A result does not depend on which episodes were predicted together.
    """
    scored = predict_and_score(serialized, plan, model, last_blessed)
    predictions, _ = predict_classes(scored.prediction)
    of_baselines = _baselines(scored, plan, model)
    before = uncalibrate(scored.prediction, model.temperature)
    open_sets = _open_sets(scored, plan, model) if plan.none_of_these else None

    def result(row: int) -> ClassificationResult:
        labels = scored.episodes.query_y[row]
        real, groups = labels >= 0, {}
        after = _certainty(scored.prediction[row][real], labels[real])
        names, right = decode_stored(serialized[row]).class_names, predictions[row] == labels
        if plan.groups:
            groups = domains.accuracy_of_groups(names, labels, right, plan.groups)
        return ClassificationResult(
            **scored.results[row],
            baselines=of_baselines.get(row, {}),
            classes=domains.right_of_classes(names, labels, right),
            labels=labels[real].tolist(),
            predictions=predictions[row][real].tolist(),
            confidences=after["confidences"],
            log_losses=after["log_losses"],
            uncalibrated=_certainty(before[row][real], labels[real]),
            groups=groups,
            open_set=None if open_sets is None else open_sets[row],
        )

    return [result(row) for row in range(len(serialized))]


def _certainty(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, list[float]]:
    """Confidences and log losses of queries, of probabilities `[n, N]` and labels `[n]`."""
    confidences = predict_classes(probabilities)[1]
    values = {"confidences": confidences, "log_losses": log_losses(probabilities, labels)}
    return {name: np.round(of_query, 6).tolist() for name, of_query in values.items()}


def _baselines(
    scored: ModelPredictions, plan: ScoringPlan, model: ExportedModel
) -> dict[int, dict[str, float]]:
    """The accuracies of the baselines by place in the stack, for the episodes that they predict."""
    rows = np.flatnonzero(scored.indices < plan.baseline_episodes)
    chosen = Episodes(*(part[rows] for part in scored.episodes))
    scores = baselines.score(chosen, plan.spec, ways=plan.ways, training=plan.text_weights)
    if model.has_encoder:
        alone = model.is_encoder_alone
        encoded = model.encode(chosen)
        scores |= baselines.score_over_encoder(encoded, ways=plan.ways, model_is_centroid=alone)
    return {
        row: {name: float(of_name[at]) for name, of_name in scores.items()}
        for at, row in enumerate(rows.tolist())
    }


def _open_sets(
    scored: ModelPredictions, plan: ScoringPlan, model: ExportedModel
) -> list[dict[str, list]]:
    """`ClassificationResult.open_set` of each episode."""
    episodes = scored.episodes
    labels, left_out = leave_one_out(episodes.support_y, scored.indices, ways=plan.ways)
    outputs = model.outputs(episodes._replace(support_y=labels))
    predictions, confidences = predict_classes(outputs[sig.PROBABILITIES])
    scores = {LARGEST_PROBABILITY: confidences}
    if sig.NONE_SCORE in outputs:
        scores[FAMILIARITY] = np.nan_to_num(1.0 - outputs[sig.NONE_SCORE])
    open_sets = []
    for row, outside in enumerate(episodes.query_y == left_out[:, np.newaxis]):
        real = episodes.query_y[row] >= 0
        right = predictions[row] == episodes.query_y[row]
        open_sets.append(
            {name: s[row][real].astype(float).round(6).tolist() for name, s in scores.items()}
            | {
                "outside": outside[real].tolist(),
                "right": right[real].tolist(),
            }
        )
    return open_sets
