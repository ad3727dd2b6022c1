"""Examples of regression as one string of bytes: the input, and behind it the target."""

import math
from typing import Any

import numpy as np

from components.modalities.base import ExampleSpec

_DTYPE = np.dtype("<f4")


def target_bytes(spec: ExampleSpec) -> int:
    """The size of a stored target; 0 where examples have class labels."""
    return 0 if spec.target_shape is None else math.prod(spec.target_shape) * _DTYPE.itemsize


def join(example: Any, target: np.ndarray, spec: ExampleSpec) -> bytes:
    """The stored bytes of an input of `spec.shape` and its target of `spec.target_shape`."""
    if np.shape(target) != spec.target_shape:
        raise ValueError(f"a target must have shape {spec.target_shape}, got {np.shape(target)}")
    return spec.to_bytes(example) + np.ascontiguousarray(target, _DTYPE).tobytes()


def split(stored: bytes, spec: ExampleSpec) -> tuple[bytes, np.ndarray]:
    """The inverse of `join`: the input's bytes, and the target's T numbers, `[T]` float32."""
    size = len(stored) - target_bytes(spec)
    return stored[:size], np.frombuffer(stored, _DTYPE, offset=size)
