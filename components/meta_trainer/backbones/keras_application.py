"""A network of keras.applications, frozen or meta-trained in part, then a meta-learned projection.

Meta-trained weights of the network are shared by all episodes: learners with inner steps adapt the
projection and the head alone. Normalisation takes its moving averages, so that a prediction is of
one picture alone.
"""

from typing import Any, Literal

import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import Backbone, Encoder
from components.meta_trainer.backbones.frozen import FrozenEncoder, frozen_backbone
from components.meta_trainer.backbones.projection import project, projection
from components.meta_trainer.encoders import keras_model
from components.meta_trainer.types import Weights
from components.options import options_class


@options_class
class KerasApplicationOptions:
    """Options of `keras_application`."""

    application: str = "MobileNetV2"
    """A name of keras.applications."""
    path: str = keras_model.DOWNLOAD
    """A file of weights without the classifier, imagenet (Keras's own download), or none."""
    layer: str = ""
    """The layer whose output are the features; the last if empty."""
    image_size: int = Field(default=128, ge=32)
    """Side of the square pictures that it sees."""
    trainable: Literal["none", "last_block", "all"] = "none"
    """Which of its weights are meta-trained."""
    projection: int = Field(default=0, ge=0)
    """Numbers of a feature after a meta-learned linear map, which is adapted; 0 for none."""
    scale: float = Field(default=4.0, gt=0)
    """Length to which a feature is scaled before the map."""


def keras_application(options: KerasApplicationOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """The network, then a projection."""
    del feature_shape
    name = options.application
    network = keras_model.build(name, options.path, options.layer, options.image_size)
    variables = network.model.trainable_variables
    about = {
        "name": name,
        "source": f"keras.applications, {options.path}",
        "licence": "not stated",
        "sha256": network.sha256,
        "input": f"{options.layer}, {options.image_size}",
    }
    chosen = {"none": [], "all": variables}.get(options.trainable)
    if chosen is None:
        chosen = keras_model.last_block(network.model, name)
    learned = {id(variable): _key(variable) for variable in chosen}
    constants = tuple(v.value for v in network.model.variables if id(v) not in learned)
    size, depth = options.projection, network.depth

    if not learned:

        def encode(images: tf.Tensor) -> tf.Tensor:
            return network.call([v.value for v in variables], network.prepare(images))

        frozen = FrozenEncoder(encode, depth, "image", constants, about)
        return frozen_backbone(frozen, size, options.scale)

    def init(seed: int) -> Weights:
        del seed  # it begins as the network is
        weights = {_key(variable): tf.constant(variable.numpy()) for variable in chosen}
        return weights | projection(depth, size)

    def prepare(images: tf.Tensor) -> tf.Tensor:
        side = options.image_size
        flat = tf.reshape(images, [-1, *images.shape[-3:]])
        shape = tf.concat([tf.shape(images)[:-3], [side, side, 3]], axis=0)
        pictures = tf.reshape(network.prepare(flat), shape)
        return tf.ensure_shape(pictures, [*images.shape[:-3], side, side, 3])

    def features(weights: Weights, x: tf.Tensor, mask: Any, statistics: Any = None):
        del mask, statistics  # its moving averages are used: every example stands alone
        values = [weights[learned[id(v)]] if id(v) in learned else v.value for v in variables]
        flat = network.call(values, tf.reshape(x, [-1, *x.shape[2:]]))
        unit = tf.math.l2_normalize(flat, axis=-1)
        shaped = tf.reshape(unit, tf.concat([tf.shape(x)[:2], [depth]], axis=0))
        return project(weights, options.scale * shaped), {}

    encoder = Encoder(prepare, "image", constants, about)
    frozen_names = frozenset(learned.values())
    return Backbone(init, features, size or depth, frozen_names, encoder=encoder)


def _key(variable: Any) -> str:
    return variable.path.replace("/", ".")
