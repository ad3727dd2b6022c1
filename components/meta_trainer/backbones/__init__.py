"""The backbones by name: a module with one options class and one factory each.

A factory takes `(options, feature_shape)` and returns a `base.Backbone`. Adding a backbone is one
file here and one line in `TABLE`.
"""

import importlib
from collections.abc import Callable
from typing import Any

TABLE = {
    "conv4": ("conv4", "Conv4Options", "conv4"),
    "resnet12": ("resnet12", "Resnet12Options", "resnet12"),
    "mlp": ("mlp", "MlpOptions", "mlp"),
    "image_to_image": ("image_to_image", "ImageToImageOptions", "image_to_image"),
    "embedding_bag": ("embedding_bag", "EmbeddingBagOptions", "embedding_bag"),
}
"""name -> (module, options class, factory)."""


def lookup(name: str) -> tuple[type, Callable[..., Any]]:
    """The options class and the factory of a backbone; imports nothing but that one's module.

    Raises:
      KeyError: no backbone has this name.
    """
    module, options, factory = TABLE[name]
    loaded = importlib.import_module(f"{__name__}.{module}")
    return getattr(loaded, options), getattr(loaded, factory)
