"""A BERT-type text encoder, frozen: the mean of its last layer, then a meta-learned projection.

    h = s * u / |u| * P,   u = mean_t encoder(x)_t

WordPiece and the transformer run in the graph, on stock operations.
"""

import tensorflow as tf
from pydantic import Field

from components.meta_trainer.backbones.base import Backbone, Encoder
from components.meta_trainer.backbones.projection import project, projection
from components.meta_trainer.encoders.bert import Bert
from components.meta_trainer.encoders.files import find_encoder
from components.meta_trainer.encoders.tokens import framed_ids
from components.meta_trainer.encoders.wordpiece import WordPiece
from components.meta_trainer.types import Weights
from components.options import options_class
from serving.errors import UserError


@options_class
class TransformerTextOptions:
    """Options of `transformer_text`."""

    path: str = ""
    """A folder with config.json, vocab.txt and model.safetensors, or an installed package."""
    trainable: bool = False
    """Must be false: the transformer is frozen."""
    projection: int = Field(default=384, ge=0)
    """Numbers of a feature after a meta-learned linear map, which is adapted; 0 for none."""
    scale: float = Field(default=4.0, gt=0)
    """Length to which a text's vector is scaled before the map."""
    max_tokens: int = Field(default=128, ge=3)
    """The rest of a text is ignored."""

    def __post_init__(self) -> None:
        if self.trainable:
            raise UserError(
                "`learner.backbone.trainable` must be false for 'transformer_text': got true. "
                "static_text has a table that can be meta-trained."
            )


def transformer_text(options: TransformerTextOptions, feature_shape: tuple[int, ...]) -> Backbone:
    """A frozen transformer, then a projection."""
    del feature_shape
    files = find_encoder(options.path, "learner.backbone.path")
    tokenizer, transformer = WordPiece(files.vocabulary), Bert(files)
    first, last = (files.vocabulary.index(token) for token in ("[CLS]", "[SEP]"))
    longest = min(options.max_tokens, transformer.max_tokens)

    def init(seed: int) -> Weights:
        del seed  # it begins as the encoder is
        return projection(transformer.size, options.projection)

    def prepare(texts: tf.Tensor) -> tf.Tensor:
        ids = framed_ids(tokenizer, tf.reshape(texts, [-1]), longest, first, last)
        unit = transformer(ids)
        shape = tf.concat([tf.shape(texts), [transformer.size]], axis=0)
        return tf.ensure_shape(tf.reshape(unit, shape), [*texts.shape, transformer.size])

    def features(weights: Weights, x: tf.Tensor, mask, statistics=None):
        del mask, statistics  # nothing is normalised: every example stands alone
        return project(weights, options.scale * x), {}

    size = options.projection or transformer.size
    about = files.about | {"max_tokens": str(longest)}
    encoder = Encoder(prepare, "text", (tokenizer, transformer), about, costly=True)
    return Backbone(init, features, size, encoder=encoder)
