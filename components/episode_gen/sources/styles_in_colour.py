"""Styles in colour: few-shot image-to-image tasks. A task is one style.

An example is a colourful picture and the same picture in that style, pixel by pixel. Styles are
drawn from seeds: no two tasks are alike, and no style of meta-test occurs in training. Pictures are
drawn by the project, anew for each example, or are those below the folder `data.path`, which all
tasks share.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from components.episode_gen.colour_styles import pictures
from components.episode_gen.colour_styles.style import Style, apply_style, draw_style
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import Source
from components.episode_gen.sources.generated import GeneratedTasks
from components.episode_gen.sources.image_files import image_files
from components.modalities.base import ExampleSpec
from components.modalities.pictures import as_pixels
from serving.errors import UserError
from serving.files.picture_header import SUFFIXES
from serving.files.unreadable import UnreadableFile

_SHAPE = (pictures.SIZE, pictures.SIZE, 3)
SPEC = ExampleSpec("image", "uint8", _SHAPE, target_shape=_SHAPE)
Draw = Callable[[np.random.RandomState], Style]
DrawPairs = Callable[[np.random.RandomState, int], Iterator[tuple[np.ndarray, np.ndarray]]]


def open_source(data: DataOptions) -> Source:
    """`data.tasks` styles of `data.examples_per_task` pictures.

    Raises:
      UserError: the folder `data.path` has too few pictures, or one that cannot be read.
    """
    facts = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in list_pictures(data)]
    version = f"1 {hashlib.sha256(repr(facts).encode()).hexdigest()}" if facts else "1"
    draw = pair_function(draw_style, data)
    return GeneratedTasks("style_in_colour", version=version, spec=SPEC, draw=draw, data=data)


def pair_function(draw: Draw, data: DataOptions) -> DrawPairs:
    """What draws a style by `draw`, and pairs of it; errors as those of `open_source`."""
    files = list_pictures(data)
    read = functools.cache(lambda: _read(files, data))

    def draw_pairs(rng: np.random.RandomState, count: int) -> Iterator[tuple]:
        style = draw(rng)
        if files:
            chosen = iter(read()[rng.permutation(len(files))[:count]])
        else:
            chosen = (as_pixels(pictures.draw_picture(rng)) for _ in range(count))
        for picture in chosen:
            yield picture, apply_style(picture / np.float32(255.0), style)

    return draw_pairs


def list_pictures(data: DataOptions) -> list[Path]:
    """The pictures below `data.path`, sorted; none if it is null. UserError if they are too few."""
    if data.path is None:
        return []
    root = Path(str(data.path)).expanduser()
    if not root.is_dir():
        raise UserError(f"`data.path` must be a folder of pictures; {root} is none.")
    files = sorted(file for file in root.rglob("*") if file.suffix.lower() in SUFFIXES)
    if len(files) < data.examples_per_task:
        raise UserError(
            f"`data.path` must have at least the {data.examples_per_task} pictures of "
            f"`data.examples_per_task`; {root} has {len(files)}."
        )
    return files


def _read(files: list[Path], data: DataOptions) -> np.ndarray:
    """All pictures, `[n, SIZE, SIZE, 3]` uint8."""
    of_size = dataclasses.replace(data, image_size=pictures.SIZE, image_channels=3)
    kind, read = image_files(of_size), []
    for file in files:
        try:
            read.append(kind.read(file))
        except UnreadableFile as error:
            raise UserError(
                f"Every picture of `data.path` must be readable; {file}: {error}."
            ) from error
    return np.stack(read)
