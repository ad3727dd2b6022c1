"""The modality of a set of episodes."""

import importlib

from components.modalities.base import ExampleSpec, Modality

_MODULES = {"image": "image", "text": "text", "audio": "speech", "vector": "vector"}
_MODULES |= {"phrases": "phrases"}


def modality_for(spec: ExampleSpec) -> Modality:
    """Builds the modality of these examples; imports no other modality's code."""
    name = "phrases" if spec.phrases else spec.modality
    if name not in _MODULES:
        raise ValueError(f"no modality named {name!r}")
    module = importlib.import_module(f"components.modalities.{_MODULES[name]}")
    return getattr(module, f"{name}_modality")(spec)
