"""Rotated images as classes of their own: "kana_03" rotated by 90 degrees is "kana_03@90"."""

import re

import numpy as np

from components.modalities.base import ExampleSpec

_SUFFIX = re.compile(r"@(90|180|270)$")


def rotated_name(class_name: str, quarters: int) -> str:
    """The name of a class rotated counter-clockwise by `quarters` (0..3) times 90 degrees."""
    return f"{class_name}@{90 * quarters}" if quarters else class_name


def base_name(class_name: str) -> str:
    """The inverse of `rotated_name`: the class's name in the data."""
    return _SUFFIX.sub("", class_name)


def rotate_image(stored: bytes, spec: ExampleSpec, quarters: int) -> bytes:
    """A square image's stored bytes, rotated counter-clockwise by `quarters` times 90 degrees."""
    return np.rot90(spec.from_bytes(stored), k=quarters).tobytes()
