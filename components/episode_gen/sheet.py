"""A sheet of episodes: a picture of their support and query sets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from components.episodes.format import Episode
from components.modalities.base import ExampleSpec
from components.modalities.pictures import HAVE_PICTURES, as_picture, as_pixels
from serving import atomic
from serving.errors import UserError
from serving.files.unreadable import printable

TILE, GAP, CAPTION = 48, 4, 16  # pixels
PAPER, INK, LINE = (255, 255, 255), (0, 0, 0), (190, 60, 40)


class Row(NamedTuple):
    """A row of a sheet."""

    caption: str  # the name of a class
    # support, query: images left and right of the line
    support: list[np.ndarray]
    query: list[np.ndarray]


def save_sheet(episodes: Sequence[Episode], spec: ExampleSpec, path: str | Path) -> None:
    """Draws episodes below each other: a row for each class, support left of the line.

    Recordings are shown as spectrograms (`pictures.as_picture`). Of image-to-image episodes there
    is a row of inputs and a row of targets.

    Raises:
      UserError: the examples are neither images nor recordings, or the file cannot be written.
    """
    if spec.modality not in HAVE_PICTURES:
        raise UserError(f"a sheet can show images and recordings: the data are {spec.modality}.")
    panels = [_draw_episode(episode, _rows(episode, spec)) for episode in episodes]
    width = max(panel.width for panel in panels)
    sheet = Image.new("RGB", (width, sum(panel.height for panel in panels)), PAPER)
    top = 0
    for panel in panels:
        sheet.paste(panel, (0, top))
        top += panel.height
    try:
        with atomic.replacement(path) as temporary:
            sheet.save(temporary, format="PNG")
    except OSError as error:
        raise UserError(f"the sheet must be a writable file: {path} ({error.strerror}).") from None


def _rows(episode: Episode, spec: ExampleSpec) -> list[Row]:
    if spec.target_shape is not None:
        sides = episode.support_y, episode.query_y
        targets = [list(as_pixels(side.reshape(-1, *spec.target_shape))) for side in sides]
        inputs = list(episode.support_x), list(episode.query_x)
        return [Row(episode.class_names[0], *inputs), Row("target", *targets)]

    def pictures(examples: Sequence[Any], labels: np.ndarray, label: int) -> list[np.ndarray]:
        return [as_picture(x, spec) for x, y in zip(examples, labels) if y == label]

    support, query = (episode.support_x, episode.support_y), (episode.query_x, episode.query_y)
    return [
        Row(name, pictures(*support, label), pictures(*query, label))
        for label, name in enumerate(episode.class_names)
    ]


def _draw_episode(episode: Episode, rows: Sequence[Row]) -> Image.Image:
    shots = max(len(row.support) for row in rows)
    columns = shots + max(len(row.query) for row in rows)
    step, row_height = TILE + GAP, TILE + GAP + CAPTION
    size = (columns * step + 3 * GAP, len(rows) * row_height + CAPTION + 2 * GAP)
    panel = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(panel)
    draw.text((GAP, 0), f"episode {episode.index}: support | query", fill=LINE)
    middle = GAP + shots * step
    draw.line([(middle, CAPTION), (middle, size[1] - 2 * GAP)], fill=LINE)
    for number, (caption, support, query) in enumerate(rows):
        top = CAPTION + number * row_height
        draw.text((GAP, top), printable(caption), fill=INK)
        for column, image in enumerate(support):
            panel.paste(_tile(image), (GAP + column * step, top + CAPTION))
        for column, image in enumerate(query, start=shots):
            panel.paste(_tile(image), (2 * GAP + column * step, top + CAPTION))
    return panel


def _tile(image: np.ndarray) -> Image.Image:
    channels = image[..., 0] if image.shape[-1] == 1 else image
    return Image.fromarray(channels).convert("RGB").resize((TILE, TILE))
