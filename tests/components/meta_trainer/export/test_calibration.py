"""The temperature: the one with the smallest log loss, folded into every signature."""

import numpy as np
import pytest
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Episodes, Support
from components.meta_trainer.build import assemble
from components.meta_trainer.export import calibration, none_score
from components.meta_trainer.export.calibration import Calibration, LabelledLogits
from components.meta_trainer.export.none_score import NoneScale
from components.meta_trainer.export.pieces import QUERY_PIECE
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
SCALE = NoneScale(tuple(np.linspace(-3, 3, none_score.QUANTILES).tolist()), 0.75)


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
    for of_export in (Calibration(), Calibration(TEMPERATURE, SCALE)):
        folder = str(tmp_path_factory.mktemp("export") / "model")
        export(assembly, weights, folder, {}, of_export)
        loaded.append(tf.saved_model.load(folder))
    return *loaded, folder


def request(queries: int = 5) -> dict[str, tf.Tensor]:
    rng = np.random.default_rng(0)
    support_x, query_x = (rng.normal(size=(2, n, NUMBERS)).astype("float32") for n in (4, queries))
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
    found = model.signatures[sig.PREDICT](query_x=query_x, **adapted)
    wanted = model.signatures[sig.ADAPT_AND_PREDICT](**inputs, query_x=query_x)
    assert set(found) == {sig.PROBABILITIES, sig.PREDICTIONS, sig.NONE_SCORE, sig.NONE_THRESHOLD}
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)


def test_many_queries_which_are_predicted_in_pieces_get_the_same_scores(models):
    predict, many = models[1].signatures[sig.ADAPT_AND_PREDICT], request(QUERY_PIECE + 7)
    few = many | {sig.QUERY_X: many[sig.QUERY_X][:, -3:]}
    together, alone = predict(**many), predict(**few)
    np.testing.assert_allclose(
        together[sig.NONE_SCORE][:, -3:], alone[sig.NONE_SCORE].numpy(), atol=1e-5
    )
    assert together[sig.NONE_THRESHOLD].numpy().tolist() == [0.75, 0.75]


def test_the_model_says_its_temperature_and_threshold(models):
    metadata = read_metadata(models[2])
    assert (metadata["temperature"], metadata["none_threshold"]) == (TEMPERATURE, 0.75)


def test_a_model_without_a_scale_has_no_such_output(models):
    outputs = models[0].signatures[sig.ADAPT_AND_PREDICT](**request())
    assert set(outputs) == {sig.PROBABILITIES, sig.PREDICTIONS}


def test_the_score_is_of_the_energy_over_the_classes_with_support(models):
    outputs = models[1].signatures[sig.ADAPT_AND_PREDICT](**request())
    assert outputs[sig.NONE_THRESHOLD].numpy().tolist() == [0.75, 0.75]
    assembly = assemble(RECORD, SMALL)
    weights, inputs = assembly.learner.init(0), request()
    support = Support(inputs[sig.SUPPORT_X], inputs[sig.SUPPORT_Y])
    adapted = assembly.learner.adapt(weights, support)
    z = assembly.learner.predict(weights, adapted, inputs[sig.QUERY_X]).numpy() / TEMPERATURE
    z[1, :, 2] = -np.inf
    energies = -TEMPERATURE * np.log(np.exp(z).sum(axis=-1))
    shares = np.interp(energies, SCALE.energies, np.linspace(0, 1, none_score.QUANTILES))
    np.testing.assert_allclose(outputs[sig.NONE_SCORE], shares, atol=1e-5)


def blobs(episodes: int = 40, queries: int = 6) -> Episodes:
    """One support example and some queries of each of three classes that are far apart."""
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=3, size=(episodes, WAYS, 1, NUMBERS))

    def draw(number: int) -> tuple[tf.Tensor, tf.Tensor]:
        x = centres + rng.normal(scale=0.3, size=(episodes, WAYS, number, NUMBERS))
        y = np.tile(np.repeat(np.arange(WAYS), number), (episodes, 1))
        return tf.constant(x.reshape(episodes, -1, NUMBERS), tf.float32), tf.constant(y, tf.int32)

    return Episodes(*draw(1), *draw(queries))


def test_what_is_of_no_class_scores_above_the_threshold():
    assembly = assemble(RECORD, {"name": "protonet", "backbone": {"name": "mlp"}})
    weights = assembly.learner.init(0)
    stacks = [Episodes(*(part[rows] for part in blobs())) for rows in (slice(20), slice(20, 40))]
    fitted, record = calibration.fit_calibration(assembly, weights, stacks)
    assert record["log_loss_after"] <= record["log_loss_before"]
    (unseen,) = calibration.without_a_class([stacks[0]])
    adapted = assembly.learner.adapt(weights, unseen.support)
    logits = assembly.learner.predict(weights, adapted, unseen.query_x) / fitted.temperature
    (scores,) = calibration.none_scores(logits, unseen.support_y, fitted).values()
    none = scores.numpy() > fitted.none.threshold
    outside = unseen.query_y.numpy() == (np.arange(20) % WAYS)[:, np.newaxis]
    assert none[outside].mean() > 0.8 and none[~outside].mean() < 0.2


def test_a_learner_without_a_finite_prediction_is_left_as_it_is():
    assembly = assemble(RECORD, {"name": "protonet", "backbone": {"name": "mlp"}})
    broken = tf.nest.map_structure(lambda w: w * np.nan, assembly.learner.init(0))
    fitted, _ = calibration.fit_calibration(assembly, broken, [blobs(3)])
    assert fitted == calibration.UNCALIBRATED
