"""What backbones over a whole frozen encoder share: unit features, then a meta-learned projection.

h = s * u / |u| * P,   u = encoder(x)
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from components.meta_trainer.backbones.base import Backbone, Encoder
from components.meta_trainer.backbones.projection import project, projection
from components.meta_trainer.types import Weights
from serving.errors import UserError

RANKS = {"text": 0, "audio": 1, "image": 3}
"""Axes of one example as stored."""


class FrozenEncoder(NamedTuple):
    """An encoder as its own module makes it.

    Attributes:
      encode: examples as stored, `[n, *example]` -> features float32 `[n, depth]`.
      depth: how many numbers these features have.
      modality, constants, about, sample_rate: see `base.Encoder`.
    """

    encode: Callable[[tf.Tensor], tf.Tensor]
    depth: int
    modality: str
    constants: tuple[Any, ...]
    about: Mapping[str, str]
    sample_rate: int | None = None


def frozen_backbone(frozen: FrozenEncoder, size: int, scale: float) -> Backbone:
    """A backbone over a frozen encoder, whose features are computed once for each example.

    `size` numbers are a feature's after the projection, 0 for none; before it a feature is scaled
    to the length `scale`.
    """
    rank, depth = RANKS[frozen.modality], frozen.depth
    # One function in an exported model, which all signatures call.
    encode = tf.function(frozen.encode, autograph=False, reduce_retracing=True)

    def init(seed: int) -> Weights:
        del seed  # it begins as the encoder is
        return projection(depth, size)

    def prepare(examples: tf.Tensor) -> tf.Tensor:
        examples = tf.convert_to_tensor(examples)
        stack = examples.shape.rank - rank
        axes = tf.shape(examples)
        count = tf.reduce_prod(axes[:stack], keepdims=True)
        flat = tf.reshape(examples, tf.concat([count, axes[stack:]], axis=0))
        flat = tf.ensure_shape(flat, [None, *examples.shape[stack:]])
        unit = tf.math.l2_normalize(encode(flat), axis=-1)
        shape = tf.concat([axes[:stack], [depth]], axis=0)
        return tf.ensure_shape(tf.reshape(unit, shape), [*examples.shape[:stack], depth])

    def features(weights: Weights, x: tf.Tensor, mask: Any, statistics: Any = None):
        del mask, statistics  # nothing is normalised: every example stands alone
        return project(weights, scale * x), {}

    encoder = Encoder(
        prepare,
        frozen.modality,
        frozen.constants,
        frozen.about,
        costly=True,
        sample_rate=frozen.sample_rate,
    )
    return Backbone(init, features, size or depth, encoder=encoder)


def refuse_training(name: str, trainable: bool) -> None:
    """Raises UserError where the weights of an encoder that cannot be trained are to be."""
    if trainable:
        raise UserError(
            f"`learner.backbone.trainable` must be false for {name!r}: got true. Meta-train "
            "`projection`, the map on top of it."
        )
