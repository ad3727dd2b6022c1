"""The temperature: the one with the smallest log loss, folded into every signature."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes
from components.meta_trainer.build import assemble
from components.meta_trainer.export import calibration
from components.meta_trainer.export.calibration import Calibration, LabelledLogits
from components.meta_trainer.export.saved_model import export
from components.modalities.base import ExampleSpec
from serving.saved_model import signatures as sig
from serving.saved_model.metadata import read_metadata

NUMBERS, WAYS = 4, 3
RECORD = EpisodeSetRecord(
    1, ExampleSpec("vector", "float32", (NUMBERS,)), WAYS, 1, 2, {}, 0, {}, {}, {"data": {}}
)
SMALL = {"name": "anil", "inner_steps": 2, "backbone": {"name": "mlp"}}
TEMPERATURE = 4.0


def labelled(temperature: float, queries: int = 20_000) -> LabelledLogits:
    """Queries whose labels are drawn from the softmax of their logits / temperature."""
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3.0, size=(queries, WAYS))
    gumbel = rng.gumbel(size=logits.shape)
    return LabelledLogits(logits, (logits / temperature + gumbel).argmax(axis=-1))


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(true):
    queries = labelled(true)
    found = calibration.fit_temperature(queries)
    assert found == pytest.approx(true, rel=0.05)
    assert calibration.log_loss(queries, found) <= calibration.log_loss(queries, 1.0)


def test_queries_that_are_all_right_get_a_finite_temperature():
    found = calibration.fit_temperature(LabelledLogits(np.eye(WAYS), np.arange(WAYS)))
    assert found >= calibration.TEMPERATURES[0]


def test_padding_and_what_is_not_finite_are_left_out():
    logits = np.array([[[1.0, 2.0], [np.nan, 0.0], [3.0, 4.0]]])
    stack = Episodes(None, None, None, np.array([[0, 1, -1]]))
    queries = calibration.collect_logits(lambda _: logits, [stack])
    assert queries.logits.tolist() == [[1.0, 2.0]] and queries.labels.tolist() == [0]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The loaded model without and with the temperature, and the folder of the latter."""
    assembly = assemble(RECORD, SMALL)
    weights, loaded = assembly.learner.init(0), []
    for of_export in (Calibration(), Calibration(TEMPERATURE)):
        folder = str(tmp_path_factory.mktemp("export") / "model")
        export(assembly, weights, folder, {}, of_export)
        loaded.append(tf.saved_model.load(folder))
    return *loaded, folder


def request(seed: int = 0) -> dict[str, tf.Tensor]:
    rng = np.random.default_rng(seed)
    support_x, query_x = (rng.normal(size=(2, n, NUMBERS)).astype("float32") for n in (4, 5))
    return {
        sig.SUPPORT_X: tf.constant(support_x),
        sig.SUPPORT_Y: tf.constant([[0, 1, 2, 0], [1, 0, 1, -1]]),  # the second lacks class 2
        sig.QUERY_X: tf.constant(query_x),
    }


def cooled(probabilities: np.ndarray) -> np.ndarray:
    powers = probabilities ** (1 / TEMPERATURE)
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(
    ("signature", "output"),
    [(sig.ADAPT_AND_PREDICT, sig.PROBABILITIES), (sig.PATH, sig.PROBABILITIES_PER_STEP)],
)
def test_it_softens_the_probabilities_of_the_model(models, signature, output):
    plain, softened = (m.signatures[signature](**request())[output].numpy() for m in models[:2])
    np.testing.assert_allclose(softened, cooled(plain), atol=1e-5)
    assert np.abs(softened - plain).max() > 0.01


def test_every_prediction_stays_the_same(models):
    plain, softened = (
        m.signatures[sig.ADAPT_AND_PREDICT](**request())[sig.PREDICTIONS].numpy()
        for m in models[:2]
    )
    np.testing.assert_array_equal(plain, softened)


def test_adapted_weights_give_the_same_probabilities(models):
    model, inputs = models[1], request()
    query_x = inputs.pop(sig.QUERY_X)
    adapted = model.signatures[sig.ADAPT](**inputs)
    found = model.signatures[sig.PREDICT](query_x=query_x, **adapted)[sig.PROBABILITIES]
    wanted = model.signatures[sig.ADAPT_AND_PREDICT](**inputs, query_x=query_x)
    np.testing.assert_allclose(found, wanted[sig.PROBABILITIES], atol=1e-6)


def test_the_model_says_its_temperature(models):
    assert read_metadata(models[2])["temperature"] == TEMPERATURE
