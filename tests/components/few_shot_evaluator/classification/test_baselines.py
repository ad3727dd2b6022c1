"""Every baseline of the table predicts, and knows nothing but its support set."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from components.episodes.types import Episodes
from components.few_shot_evaluator.classification import baselines, classifiers, text_features
from components.few_shot_evaluator.classification.image_features import edges_and_colours
from components.modalities.base import ExampleSpec

WAYS, SHOTS = 3, 4
SPECS = {
    "image": ExampleSpec("image", "uint8", (20, 20, 3)),
    "text": ExampleSpec("text", "string", ()),
    "audio": ExampleSpec("audio", "float32", (None,), sample_rate=8000),
    "vector": ExampleSpec("vector", "float32", (6,)),
}
SENTENCES = ("book a {} flight", "play {} music", "what is the {} weather")


def example(modality: str, label: int, rng: np.random.Generator):
    """An example of one of three classes that every baseline can tell apart."""
    if modality == "image":
        picture = rng.integers(0, 40, (20, 20, 3))
        stripes = np.arange(20) % 8 < 4
        picture[stripes if label else ~stripes, :, label] += 200
        return (picture.transpose(1, 0, 2) if label == 1 else picture).astype(np.uint8)
    if modality == "text":
        return SENTENCES[label].format(rng.choice(["red", "blue", "green"])).encode()
    if modality == "audio":
        wave = np.sin(2 * np.pi * (300 + 500 * label) * np.arange(2400) / 8000)
        return (0.3 * wave + rng.normal(0, 0.01, 2400)).astype(np.float32)
    return (np.eye(3)[label].repeat(2) * 5 + rng.normal(0, 1, 6)).astype(np.float32)


def stack(modality: str, *, of: int = 2, seed: int = 0) -> Episodes:
    rng = np.random.default_rng(seed)
    y = np.tile(np.arange(WAYS, dtype=np.int32).repeat(SHOTS), (of, 1))
    x = [np.array([[example(modality, c, rng) for c in row] for row in y]) for _ in range(2)]
    return Episodes(x[0], y, x[1], y)


@pytest.mark.parametrize("modality", SPECS)
def test_every_baseline_tells_clear_classes_apart(modality):
    training = text_features.fit_weights([b"play the weather", b"a book"])
    scores = baselines.score(stack(modality), SPECS[modality], ways=WAYS, training=training)
    assert scores.pop("chance").tolist() == [pytest.approx(1 / 3)] * 2
    of_encoder = {"chance", "encoder_centroid", "encoder_logistic"}
    assert set(scores) | of_encoder == set(baselines.words_of(SPECS[modality]))
    assert {name: values.min() for name, values in scores.items() if values.min() < 0.9} == {}


def test_the_features_of_an_encoder_have_baselines_unless_the_model_is_one_itself():
    episodes = stack("vector")
    for alone in (True, False):
        scores = baselines.score_over_encoder(episodes, ways=WAYS, model_is_centroid=alone)
        assert ("encoder_centroid" in scores) != alone
        assert min(values.min() for values in scores.values()) > 0.9


@pytest.mark.parametrize("modality", SPECS)
def test_padding_changes_nothing(modality):
    episodes = stack(modality)
    expected = baselines.score(episodes, SPECS[modality], ways=WAYS)
    padded = episodes._replace(
        support_x=np.concatenate([episodes.support_x, episodes.query_x[:, :2]], axis=1),
        support_y=np.pad(episodes.support_y, ((0, 0), (0, 2)), constant_values=-1),
    )
    scores = baselines.score(padded, SPECS[modality], ways=WAYS)
    assert {name: values.tolist() for name, values in scores.items()} == {
        name: values.tolist() for name, values in expected.items()
    }


def test_logistic_regression_in_the_span_is_that_of_the_features():
    rng = np.random.default_rng(0)
    labels, means = np.arange(15) % 3, rng.normal(size=(3, 200))
    support = means[labels] + 2 * rng.normal(size=(15, 200))
    query = means[rng.integers(0, 3, 400)] + 2 * rng.normal(size=(400, 200))
    model = LogisticRegression(C=classifiers.INVERSE_PENALTY, tol=1e-8, max_iter=10_000)
    expected = model.fit(support, labels).predict(query)
    answers = classifiers.logistic_regression(support, labels, query, 3)
    assert (answers == expected).mean() > 0.98
    two = classifiers.logistic_regression(support, np.where(labels == 1, -1, labels), query, 3)
    assert set(two) == {0, 2}


def test_edges_do_not_depend_on_brightness_and_colours_do():
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 100, (4, 28, 28, 1)).astype(np.uint8)
    np.testing.assert_allclose(edges_and_colours(grey), edges_and_colours(grey + 100), atol=1e-3)
    red, blue = np.zeros((2, 1, 28, 28, 3), np.uint8)
    red[..., 0], blue[..., 2] = 200, 200
    assert np.abs(edges_and_colours(red) - edges_and_colours(blue)).max() > 0.5
    assert np.isfinite(edges_and_colours(np.zeros((1, 84, 84, 3), np.uint8))).all()


def test_words_of_all_training_texts_weigh_less_than_others():
    weights = text_features.fit_weights([b"please play", b"please book", b"please"])
    support = np.array([b"please whistle", b"please"], object)
    known, _ = text_features.tfidf(support, support, weights)
    assert known[0] @ known[1] < 0.5 < known[1] @ known[1]
