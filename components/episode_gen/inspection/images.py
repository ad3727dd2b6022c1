"""A folder of images: root/class/image, or root/group/class/image."""

import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.episode_gen.inspection.base import Inspection, spread
from components.episode_gen.sources.folder import list_images
from components.episode_gen.sources.image_files import UnreadableImage, decode

LARGEST_SIZE = 48
"""Pixels; larger images are resized to this at first: conv4 at 84 takes minutes a hundred steps."""
SMALLEST_SIZE = 28


class Seen(NamedTuple):
    """One readable image."""

    name: str
    height: int
    width: int
    coloured: bool
    brightness: float  # the mean of its border, 0..1
    digest: str  # of the file


def matches(path: Path) -> bool:
    """Whether there are images one or two folders down."""
    return path.is_dir() and any(list_images(path, depth=depth) for depth in (1, 2))


def inspect(path: Path) -> Inspection:
    """Decodes every image as the pipeline will."""
    depth = 1 if list_images(path, depth=1) else 2
    seen: list[Seen] = []
    unreadable: dict[str, str] = {}
    for folder, images in list_images(path, depth=depth).items():
        for image in images:
            name = f"{folder}/{image}"
            try:
                seen.append(_look(path, name))
            except UnreadableImage as reason:
                unreadable[name] = str(reason)
    suffixes = Counter(Path(one.name).suffix.lower().lstrip(".") for one in seen)
    facts = {"formats": ", ".join(f"{count} {name}" for name, count in suffixes.most_common())}
    if seen:
        facts["heights"] = f"{spread([one.height for one in seen])} pixels"
        facts["widths"] = f"{spread([one.width for one in seen])} pixels"
        facts["colours"] = "colour" if _coloured(seen) else "grey"
    if depth == 2:
        facts["groups"] = str(len({one.name.partition("/")[0] for one in seen}))
    return Inspection(
        kind="a folder of images",
        data=_section(path, seen, unreadable, grouped=depth == 2),
        class_sizes=dict(Counter(one.name.rpartition("/")[0] for one in seen)),
        facts=facts,
        unreadable=unreadable,
        duplicates=_duplicates(seen),
    )


def _look(root: Path, name: str) -> Seen:
    pixels = decode(root / name).numpy()
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return Seen(
        name=name,
        height=pixels.shape[0],
        width=pixels.shape[1],
        # JPEG rounds the channels of a grey image apart a little.
        coloured=int(np.ptp(pixels.astype(np.int16), axis=-1).max()) > 16,
        brightness=float(border.mean()) / 255.0,
        digest=hashlib.sha256((root / name).read_bytes()).hexdigest(),
    )


def _coloured(seen: list[Seen]) -> bool:
    return sum(one.coloured for one in seen) > len(seen) / 20


def _section(
    path: Path, seen: list[Seen], unreadable: dict[str, str], *, grouped: bool
) -> dict[str, object]:
    """The section `data`, with what differs from the defaults."""
    sides = sorted(min(one.height, one.width) for one in seen) or [SMALLEST_SIZE]
    coloured = _coloured(seen)
    data: dict[str, object] = {
        "source": "folder",
        "path": str(path),
        "image_size": int(np.clip(sides[len(sides) // 2], SMALLEST_SIZE, LARGEST_SIZE)),
        "image_channels": 3 if coloured else 1,
    }
    bright = sum(one.brightness for one in seen) > 0.6 * len(seen)
    if bright and not coloured:
        data["invert"] = True  # ink on paper
    if unreadable:
        data["unreadable"] = "skip"
    if grouped:
        data["split_by"] = "group"
    return data


def _duplicates(seen: list[Seen]) -> list[list[str]]:
    by_content: dict[str, list[str]] = defaultdict(list)
    for one in seen:
        by_content[one.digest].append(one.name)
    return [
        names
        for names in by_content.values()
        if len({name.rpartition("/")[0] for name in names}) > 1
    ]
