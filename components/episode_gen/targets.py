"""Examples with targets as one string of bytes: the input, and behind it the target or phrase."""

import math
from typing import Any

import numpy as np

from components.modalities.base import ExampleSpec

_DTYPE = np.dtype("<f4")
_LENGTH = 4  # bytes behind a phrase that hold its length


def target_bytes(spec: ExampleSpec) -> int:
    """The size of a stored target; 0 where examples have class labels."""
    return 0 if spec.target_shape is None else math.prod(spec.target_shape) * _DTYPE.itemsize


def join(example: Any, target: Any, spec: ExampleSpec) -> bytes:
    """The stored bytes of an input and its target of `spec.target_shape`, or its phrase."""
    if spec.phrases:
        phrase = target.encode()
        return spec.to_bytes(example) + phrase + len(phrase).to_bytes(_LENGTH, "little")
    if np.shape(target) != spec.target_shape:
        raise ValueError(f"a target must have shape {spec.target_shape}, got {np.shape(target)}")
    return spec.to_bytes(example) + np.ascontiguousarray(target, _DTYPE).tobytes()


def split(stored: bytes, spec: ExampleSpec) -> tuple[bytes, np.ndarray]:
    """The inverse of `join`: the input's bytes, and the target's T numbers, `[T]` float32.

    A phrase is an array `()` of one bytes object.
    """
    if spec.phrases:
        end = len(stored) - _LENGTH
        start = end - int.from_bytes(stored[end:], "little")
        return stored[:start], np.array(stored[start:end], object)
    size = len(stored) - target_bytes(spec)
    return stored[:size], np.frombuffer(stored, _DTYPE, offset=size)
