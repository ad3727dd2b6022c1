"""Networks of keras.applications: frozen or meta-trained in part, cut, exported; refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.episodes.types import Episodes, Support
from components.meta_trainer.build import assemble_for
from components.meta_trainer.encoders import keras_model
from components.modalities.base import ExampleSpec
from serving.errors import UserError
from tests.components.meta_trainer.encoders.served import assert_served_as_trained

IMAGES = ExampleSpec("image", "uint8", (16, 16, 3))
BLOCKS = ("block_1", "block_2")


def tiny(weights=None, include_top=True, input_shape=None):
    """A network in the way of keras.applications, of two blocks."""
    del include_top
    x = inputs = keras.Input(input_shape)
    for name, filters in zip(BLOCKS, (4, 6)):
        x = keras.layers.Conv2D(filters, 3, strides=4, name=f"{name}_conv")(x)
        x = keras.layers.BatchNormalization(name=f"{name}_BN")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
    model = keras.Model(inputs, x)
    if weights == "imagenet":
        raise OSError("no route to host\nmore")
    if weights is not None:
        model.load_weights(weights)
    return model


@pytest.fixture(autouse=True)
def application(monkeypatch):
    monkeypatch.setattr(tiny, "__module__", "keras.src.applications.mobilenet_v2")
    monkeypatch.setitem(vars(keras.applications), "Tiny", tiny)


def section(learner="protonet", **options) -> dict:
    backbone = {"name": "keras_application", "application": "Tiny", "path": "none"}
    return {"name": learner, "backbone": backbone | {"image_size": 32} | options}


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 16, 3), np.uint8)


@pytest.mark.parametrize(
    ("trainable", "learned"),
    [("none", []), ("last_block", ["block_2"]), ("all", ["block_1", "block_2"])],
)
def test_what_is_to_be_trained_is_a_weight_with_a_gradient(trainable, learned):
    assembly = assemble_for(IMAGES, 3, section("maml", trainable=trainable, projection=5))
    body = assembly.learner.init(0)["body"]
    of_network = {f"{b}_{part}" for b in learned for part in ("conv.kernel", "conv.bias")}
    of_network |= {f"{b}_BN.{part}" for b in learned for part in ("gamma", "beta")}
    assert set(body) == of_network | {"projection"}
    frozen = assembly.learner.network.backbone.frozen_names
    assert frozen == of_network  # meta-trained, not adapted
    x = assembly.modality.prepare(tf.constant(pictures(6)[None]))
    y = tf.constant([[0, 1, 2]])
    step = tf.function(assembly.learner.meta_gradients, jit_compile=True)
    episodes = Episodes(x[:, :3], y, x[:, 3:], y)
    found = step(assembly.learner.init(0), episodes, tf.constant(0.0)).gradients["body"]
    assert all(np.any(found[name]) for name in of_network if not name.endswith("conv.bias"))


@pytest.mark.parametrize("trainable", ["none", "last_block"])
def test_exported_and_served_are_as_in_training(trainable, tmp_path):
    assembly = assemble_for(IMAGES, 3, section(trainable=trainable))
    learner, weights = assembly.learner, assembly.learner.init(0)
    raw, y = pictures(6), tf.constant([[0, 1, 2]])
    x, query_x = (assembly.modality.prepare(tf.constant(part[None])) for part in (raw[:3], raw[3:]))
    outputs = learner.predict(weights, learner.adapt(weights, Support(x, y)), query_x)
    trained = assembly.task.predict(outputs, y)[0]
    assert_served_as_trained(assembly, weights, tmp_path, raw, trained)


def test_features_are_those_of_keras_cut_at_a_layer(tmp_path):
    model = tiny(input_shape=(32, 32, 3))
    model.save_weights(tmp_path / "tiny.weights.h5")
    options = {"path": str(tmp_path / "tiny.weights.h5"), "layer": "block_1_relu"}
    assembly = assemble_for(IMAGES, 3, section(**options))
    found = assembly.modality.prepare(tf.constant(pictures(4)[None]))[0]
    cut = keras.Model(model.inputs, model.get_layer("block_1_relu").output)
    resized = tf.image.resize(pictures(4), (32, 32), method="bicubic", antialias=True)
    scaled = keras.applications.mobilenet_v2.preprocess_input(tf.clip_by_value(resized, 0, 255))
    expected = tf.math.l2_normalize(tf.reduce_mean(cut(scaled, training=False), [1, 2]), -1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_weights_from_nothing_are_the_same_each_time():
    first, second = (keras_model.build("Tiny", "none", "", 32).sha256 for _ in range(2))
    assert first == second


def test_a_network_of_keras_itself_is_built_and_its_last_block_found():
    network = keras_model.build("MobileNetV2", "none", "", 32)
    names = {v.path.split("/")[0] for v in keras_model.last_block(network.model, "MobileNetV2")}
    assert network.depth == 1280 and "Conv_1" in names and "block_16_expand" in names
    assert not any(name.startswith("block_15") for name in names)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"application": "MobilNetV2"}, "must be a network of keras.applications, such as Mobile"),
        ({"layer": "block_1_rel"}, "must be a layer of Tiny, such as block_1_relu.*'block_1_rel'"),
        ({"path": "nowhere.h5"}, "must be a file of weights, 'imagenet' for Keras's own download"),
        ({"path": "imagenet"}, "'imagenet' gave no route to host. Download them on a machine with"),
        ({"path": __file__}, "It must be of tiny without its classifier .include_top=False"),
        ({"trainable": "some"}, "`learner.backbone.trainable`"),
    ],
)
def test_what_is_missing_or_wrong_is_one_sentence(options, words):
    with pytest.raises(UserError, match=words):
        assemble_for(IMAGES, 3, section(**options))


@pytest.mark.parametrize("learner", ["meta_lstm", "maml_plus_plus"])
def test_a_learner_that_makes_no_sense_on_it_is_refused(learner):
    with pytest.raises(UserError, match="makes sense on a pretrained encoder"):
        assemble_for(IMAGES, 3, section(learner))
