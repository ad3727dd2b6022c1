"""An export is a reusable SavedModel: features of examples, for other models to build on."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import absl.logging
import keras
import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes
from components.meta_trainer.export.features import mean_statistics
from components.meta_trainer.export.saved_model import export
from serving.saved_model import signatures as sig
from tests.serving.exported.small_exports import MODELS, PICTURE, WAYS, Model

NAMES = ("images-protonet", "texts-protonet", "numbers-maml")


def examples(spec, *lead: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    if spec.dtype == "string":
        texts = [f"some text {n}".encode() for n in range(int(np.prod(lead)))]
        return np.array(texts, object).reshape(lead)
    return rng.integers(0, 256, (*lead, *spec.shape)).astype(spec.dtype)


class Exported(NamedTuple):
    model: Model
    weights: dict[str, Any]
    statistics: dict[str, tf.Tensor]
    folder: Path
    loaded: Any


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    made = {}

    def of(name: str) -> Exported:
        if name not in made:
            made[name] = export_with_statistics(MODELS[name], tmp_path_factory.mktemp(name) / "1")
        return made[name]

    absl.logging.set_verbosity(absl.logging.ERROR)
    yield of


def export_with_statistics(model: Model, folder: Path) -> Exported:
    assembly, spec = model.assemble(), model.spec
    weights = assembly.learner.init(0)
    y = np.tile(np.arange(WAYS, dtype=np.int32), (4, 1))
    if spec.regression:
        y = np.ones((4, WAYS, *spec.target_shape), np.float32)
    x = tf.constant(examples(spec, 4, WAYS))
    halves = [Episodes(x[a:b], tf.constant(y[a:b]), x[a:b], y[a:b]) for a, b in ((0, 1), (1, 4))]
    statistics = mean_statistics(assembly, weights, halves)
    export(assembly, weights, str(folder), {}, statistics=statistics)
    return Exported(model, weights, statistics, folder, tf.saved_model.load(str(folder)))


@pytest.mark.parametrize("name", NAMES)
def test_the_object_and_its_signature_give_the_networks_features(name, exported):
    model, weights, statistics, _, loaded = exported(name)
    assembly = model.assemble()
    x = tf.constant(examples(model.spec, 6))
    prepared = assembly.modality.prepare(x)
    of_episodes = {name: value[None] for name, value in statistics.items()}
    network = assembly.learner.network
    expected = network.features(weights, prepared[None], None, of_episodes)[0][0]
    for found in loaded(x), loaded(prepared), loaded.signatures[sig.EMBED](x)[sig.FEATURES]:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    for n in range(6):  # of each example alone, and of any number of them
        np.testing.assert_allclose(loaded(x[n : n + 1])[0], expected[n], rtol=1e-5, atol=1e-5)
    assert loaded(x[:0]).shape == expected[:0].shape


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_of_the_features_can_be_trained(name, exported):
    model, weights, statistics, _, loaded = exported(name)
    body = dict(sorted(weights["body"].items()))
    assert [v.name for v in loaded.trainable_variables] == [f"body/{n}:0" for n in body]
    assert len(loaded.variables) == len(body) and list(loaded.regularization_losses) == []
    x = tf.constant(examples(model.spec, 6))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(loaded(x)))
    found = tape.gradient(loss, loaded.trainable_variables)
    assembly = model.assemble()
    with tf.GradientTape() as tape:  # through the gradients written by hand
        tape.watch(body)
        prepared = assembly.modality.prepare(x)[None]
        of_episodes = {name: value[None] for name, value in statistics.items()}
        features, _ = assembly.learner.network.features(weights, prepared, None, of_episodes)
        loss = tf.reduce_sum(tf.square(features))
    for gradient, expected in zip(found, tape.gradient(loss, list(body.values()))):
        gradient, expected = tf.convert_to_tensor(gradient), tf.convert_to_tensor(expected)
        scale = float(tf.reduce_max(tf.abs(expected)))
        assert scale > 0
        np.testing.assert_allclose(gradient, expected, atol=1e-5 * scale)


def test_statistics_are_means_over_episodes(exported):
    model, weights, statistics, _, _ = exported("images-protonet")
    assembly = model.assemble()
    x = assembly.modality.prepare(tf.constant(examples(model.spec, 4, WAYS)))
    _, computed = assembly.learner.network.features(weights, x, tf.ones([4, WAYS], tf.bool))
    assert set(statistics) == set(computed) != set()
    for name, value in computed.items():
        np.testing.assert_allclose(statistics[name], tf.reduce_mean(value, axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("normalisation", "reason"),
    [("support", "exported without any"), ("transductive", "depend on other examples")],
)
def test_features_that_depend_on_other_examples_are_withheld(normalisation, reason, tmp_path):
    spec, learner = MODELS["texts-protonet"]
    backbone = learner["backbone"] | {"normalisation": normalisation}
    model = Model(spec, learner | {"backbone": backbone})
    model.export(tmp_path / "1")
    about = json.loads((tmp_path / "1" / sig.METADATA_FILE).read_text())
    assert reason in about["withheld_signatures"][sig.EMBED]
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    assert sig.EMBED not in loaded.signatures and not callable(loaded)


def fit(library, layer, features) -> list[float]:
    """Losses of a classifier of two classes on top of a layer, over three epochs."""
    inputs = library.Input(PICTURE, dtype="uint8")
    outputs = library.layers.Dense(2)(features(layer(inputs)))
    model = library.Model(inputs, outputs)
    assert len(model.trainable_weights) == len(layer.trainable_weights) + 2 > 2
    before = [w.numpy().copy() for w in layer.trainable_weights]
    model.compile("sgd", library.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = examples(MODELS["images-protonet"].spec, 32)
    losses = model.fit(x, np.arange(32) % 2, epochs=3, verbose=0).history["loss"]
    assert any((w.numpy() != b).any() for w, b in zip(layer.trainable_weights, before))
    return losses


def test_keras_trains_further_on_top(exported):
    folder = str(exported("images-protonet").folder)
    layer = keras.layers.TFSMLayer(folder, call_endpoint=sig.EMBED, trainable=True)
    losses = fit(keras, layer, lambda outputs: outputs[sig.FEATURES])
    assert losses[-1] < losses[0]


def test_tensorflow_hub_loads_it_and_trains_further(exported):
    try:
        import tensorflow_hub as hub
        import tf_keras
    except ImportError as error:  # 0.15, which TFX requires, does not work with this TensorFlow
        pytest.skip(f"needs tensorflow_hub from 0.16.1 on, and tf-keras: {error}")
    folder, x = str(exported("images-protonet").folder), examples(MODELS[NAMES[0]].spec, 3)
    np.testing.assert_array_equal(hub.load(folder)(x), exported("images-protonet").loaded(x))
    losses = fit(tf_keras, hub.KerasLayer(folder, trainable=True), lambda features: features)
    assert losses[-1] < losses[0]
