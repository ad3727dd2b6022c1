"""Turned images as classes of their own: "kana_03" turned by a quarter is "kana_03@90"."""

import re

import numpy as np

from components.modalities.base import ExampleSpec

_SUFFIX = re.compile(r"@(90|180|270)$")


def rotated_name(class_name: str, turn: int) -> str:
    """The name of a class turned counter-clockwise by `turn` quarters (0..3)."""
    return f"{class_name}@{90 * turn}" if turn else class_name


def base_name(class_name: str) -> str:
    """The inverse of `rotated_name`: the class as the data call it."""
    return _SUFFIX.sub("", class_name)


def turn_image(stored: bytes, spec: ExampleSpec, turn: int) -> bytes:
    """A square image's stored bytes, turned counter-clockwise by `turn` quarters."""
    return np.rot90(spec.from_bytes(stored), k=turn).tobytes()
