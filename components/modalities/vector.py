"""Vectors: float32 `[D]`, fed to the network as they are."""

from typing import Any

import numpy as np

from components.modalities.base import ExampleSpec, Modality


def vector_modality(spec: ExampleSpec) -> Modality:
    """The vector modality; without an encoded form, since a request holds the numbers."""

    def prepare(vectors: Any) -> Any:
        return vectors

    def raw_features(vectors: np.ndarray) -> np.ndarray:
        return np.asarray(vectors, np.float32)

    shape = tuple(size or 0 for size in spec.shape)
    return Modality(spec, shape, prepare, None, raw_features)
