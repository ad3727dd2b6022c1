"""The backbones by name: a module with a factory of that name and the class of its options.

A factory takes `(options, feature_shape)` and returns a `base.Backbone`. Adding a backbone is one
file here and one line in `TABLE`; those outside the project are found by `user_modules`.
"""

from collections.abc import Callable
from typing import Any

from components import user_modules

TABLE = {
    "conv4": "components.meta_trainer.backbones.conv4",
    "resnet12": "components.meta_trainer.backbones.resnet12",
    "mlp": "components.meta_trainer.backbones.mlp",
    "image_to_image": "components.meta_trainer.backbones.image_to_image",
    "image_filters": "components.meta_trainer.backbones.image_filters",
    "embedding_bag": "components.meta_trainer.backbones.embedding_bag",
    "phrase_bag": "components.meta_trainer.backbones.phrase_bag",
    "static_text": "components.meta_trainer.backbones.static_text",
    "transformer_text": "components.meta_trainer.backbones.transformer_text",
    "speech_embedding": "components.meta_trainer.backbones.speech_embedding",
    "saved_model": "components.meta_trainer.backbones.saved_model",
    "keras_application": "components.meta_trainer.backbones.keras_application",
}
"""Name of a backbone and of its factory -> the factory's module."""


def lookup(name: str) -> tuple[type, Callable[..., Any]]:
    """The options class and the factory of a backbone; see `user_modules.lookup`."""
    return user_modules.lookup(name, TABLE, "learner.backbone.name")
