"""A folder of images: root/class/image, or root/group/class/image."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from components.episode_gen.inspection import files
from components.episode_gen.inspection.base import Inspection, spread
from serving.files.folders import ClassFolders
from serving.files.pictures import decode
from serving.files.unreadable import read_content

LARGEST_SIZE = 48
"""Pixels; larger images are resized to this at first: conv4 at 84 takes minutes a hundred steps."""
SMALLEST_SIZE = 28
"""Smaller images are enlarged to this; ink on paper is resized to it, as Omniglot is in papers."""


class Seen(NamedTuple):
    """One readable image."""

    height: int
    width: int
    coloured: bool
    brightness: float  # the mean of its border, 0..1


def inspect(path: Path, folders: ClassFolders, split_by: str | None) -> Inspection:
    """Decodes every image as the pipeline will."""
    looked = files.Looked(path, folders, _look, split_by)
    seen = list(looked.seen.values())
    facts = {
        "heights": f"{spread(one.height for one in seen)} pixels",
        "widths": f"{spread(one.width for one in seen)} pixels",
        "colours": "colour" if _coloured(seen) else "grey",
    }
    return looked.inspection("a folder of images", "image", _section(seen), facts)


def _look(file: Path) -> Seen:
    pixels = decode(read_content(file))
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return Seen(
        height=pixels.shape[0],
        width=pixels.shape[1],
        # JPEG rounds the channels of a grey image apart a little.
        coloured=int(np.ptp(pixels.astype(np.int16), axis=-1).max()) > 16,
        brightness=float(border.mean()) / 255.0,
    )


def _coloured(seen: list[Seen]) -> bool:
    return sum(one.coloured for one in seen) > len(seen) / 20


def _section(seen: list[Seen]) -> dict[str, Any]:
    """What of the section `data` only images have."""
    sides = sorted(min(one.height, one.width) for one in seen) or [SMALLEST_SIZE]
    coloured = _coloured(seen)
    bright = sum(one.brightness for one in seen) > 0.6 * len(seen)
    ink_on_paper = bright and not coloured
    largest = SMALLEST_SIZE if ink_on_paper else LARGEST_SIZE
    return {
        "image_size": int(np.clip(sides[len(sides) // 2], SMALLEST_SIZE, largest)),
        "image_channels": 3 if coloured else 1,
    } | ({"invert": True} if ink_on_paper else {})
