"""The baselines of a classifier: what a user would have with a few lines and no meta-learning.

Each is one function from a support set to the classes of queries: features of the modality, or
those of the model's pretrained encoder, then a classifier of `classifiers`. Nothing is learned from
other episodes, but for the weights of terms of texts, fitted to the texts of meta-training.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from components.episodes.dataset import parse_episodes, read_split
from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes
from components.few_shot_evaluator.classification import classifiers, image_features, text_features
from components.few_shot_evaluator.classification.classifiers import Classifier, standardise
from components.modalities.base import ExampleSpec
from components.modalities.lookup import modality_for
from components.tasks.classification import share_right

CHANCE, NEAREST_CENTROID = "chance", "nearest_centroid"

Features = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From support and query examples, `[S, ...]` and `[Q, ...]`, to `[S, d]` and `[Q, d]`."""


class Baseline(NamedTuple):
    """A row of the table: its key in `metrics.json`, the report's words, and how it predicts."""

    name: str
    words: str
    features: str  # a key of the modality's features
    classify: Classifier


_CENTROID, _COSINE, _LOGISTIC = (
    classifiers.nearest_centroid,
    classifiers.centred_cosine_centroid,
    classifiers.logistic_regression,
)
_BASELINES = {
    "image": (
        Baseline(NEAREST_CENTROID, "nearest centroid of pixels", "raw", _CENTROID),
        Baseline("pixels_cosine", "cosine centroid of centred pixels", "raw", _COSINE),
        Baseline("pixels_logistic", "pixels with logistic regression", "raw", _LOGISTIC),
        Baseline("edges_cosine", "cosine centroid of HOG and colours", "edges", _COSINE),
        Baseline("edges_logistic", "HOG and colours with logistic regression", "edges", _LOGISTIC),
    ),
    "text": (
        Baseline(NEAREST_CENTROID, "nearest centroid of bags of words", "raw", _CENTROID),
        Baseline("tfidf_cosine", "cosine centroid of TF-IDF", "tfidf", _COSINE),
        Baseline("tfidf_logistic", "TF-IDF with logistic regression", "tfidf", _LOGISTIC),
        Baseline(
            "support_tfidf_logistic",
            "TF-IDF of the support set alone with logistic regression",
            "support_tfidf",
            _LOGISTIC,
        ),
    ),
    "audio": (
        Baseline(NEAREST_CENTROID, "nearest centroid of mean log-mels", "raw", _CENTROID),
        Baseline("log_mels_logistic", "mean log-mels, logistic regression", "scaled", _LOGISTIC),
        Baseline("mfcc_centroid", "nearest centroid of MFCCs", "mfcc", _CENTROID),
        Baseline("mfcc_logistic", "MFCCs with logistic regression", "mfcc", _LOGISTIC),
    ),
    "vector": (
        Baseline(NEAREST_CENTROID, "nearest centroid", "raw", _CENTROID),
        Baseline("standardised_centroid", "nearest centroid, standardised", "scaled", _CENTROID),
        Baseline("logistic", "logistic regression, standardised", "scaled", _LOGISTIC),
    ),
}
_OF_ENCODER = (
    Baseline("encoder_centroid", "nearest centroid of the encoder's features", "", _CENTROID),
    Baseline(
        "encoder_logistic",
        "the encoder's features with logistic regression",
        "",
        classifiers.unit_logistic_regression,
    ),
)


def words_of(spec: ExampleSpec) -> dict[str, str]:
    """The report's words for each baseline of a kind of examples, by name."""
    table = (*_BASELINES[spec.modality], *_OF_ENCODER)
    return {CHANCE: "chance"} | {one.name: one.words for one in table}


def score(
    episodes: Episodes, spec: ExampleSpec, *, ways: int, training: Sequence | None = None
) -> dict[str, np.ndarray]:
    """The accuracies `[E]` of each baseline, by name; `training`: `text_features.fit_weights`."""
    scores = _score(_BASELINES[spec.modality], _features(spec, training), episodes, ways)
    return {CHANCE: np.full(len(episodes.query_y), 1.0 / ways)} | scores


def score_split(
    uri: str, record: EpisodeSetRecord, split: str, count: int
) -> dict[str, np.ndarray]:
    """The accuracies of each baseline on the first `count` episodes of a split, by name."""
    spec = record.example_spec
    training = text_features.training_weights(uri) if spec.modality == "text" else None
    stacks = [
        score(parse_episodes(stack, spec).numpy(), spec, ways=record.ways, training=training)
        for stack in read_split(uri, split).take(count).batch(20)
    ]
    return {key: np.concatenate([stack[key] for stack in stacks]) for key in stacks[0]}


def score_over_encoder(
    encoded: Episodes, *, ways: int, model_is_centroid: bool
) -> dict[str, np.ndarray]:
    """The accuracies `[E]` on a pretrained encoder's features, `[E, S, D]` and `[E, Q, D]`.

    A model that is their nearest centroid itself has no rival in it.
    """
    table = _OF_ENCODER[1:] if model_is_centroid else _OF_ENCODER
    return _score(table, {"": lambda support, query: (support, query)}, encoded, ways)


def _score(
    table: Sequence[Baseline], features: Mapping[str, Features], episodes: Episodes, ways: int
) -> dict[str, np.ndarray]:
    predictions: dict[str, list[np.ndarray]] = {one.name: [] for one in table}
    # One thread: these products are small, and the model's are beside them.
    with threadpool_limits(1):
        for support_x, support_y, query_x in zip(*episodes[:3]):
            seen = {key: features[key](support_x, query_x) for key in {b.features for b in table}}
            for one in table:
                support, query = seen[one.features]
                predictions[one.name].append(one.classify(support, support_y, query, ways))
    return {
        name: share_right(np.reshape(of_all, episodes.query_y.shape), episodes.query_y)
        for name, of_all in predictions.items()
    }


def _features(spec: ExampleSpec, training: Sequence | None) -> Mapping[str, Features]:
    """The features that the table names, by key."""

    def both(function: Callable[[np.ndarray], np.ndarray]) -> Features:
        return lambda support, query: (function(support), function(query))

    def mfccs(samples: np.ndarray) -> np.ndarray:
        from components.modalities.speech import mfccs as of_rate

        return of_rate(samples, spec.sample_rate or 0)

    raw = both(modality_for(spec).raw_features)
    return {
        "raw": raw,
        "scaled": lambda support, query: standardise(*raw(support, query)),
        "mfcc": lambda support, query: standardise(*both(mfccs)(support, query)),
        "edges": both(image_features.edges_and_colours),
        "tfidf": lambda support, query: text_features.tfidf(support, query, training),
        "support_tfidf": text_features.tfidf,
    }
