"""A look at the data before anything runs: what a source holds, and a sheet of its episodes."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from components.episode_gen.assemble import assemble
from components.episode_gen.check import CheckedData
from components.episode_gen.options import EpisodeOptions
from components.episode_gen.table import make_planner
from components.episodes.format import Episode, decode_episode
from components.errors import UserError
from components.modalities.base import ExampleSpec

TILE, GAP, CAPTION = 48, 4, 16  # pixels
PAPER, INK, LINE = (255, 255, 255), (0, 0, 0), (190, 60, 40)


class Row(NamedTuple):
    """A row of a sheet: its caption, and images left and right of the line."""

    caption: str
    support: list[np.ndarray]
    query: list[np.ndarray]


def summarise(checked: CheckedData) -> dict[str, str]:
    """What a source holds, as lines of a table: name -> value."""
    sizes = [len(ids) for ids in checked.catalogue.examples.values()]
    groups = set(checked.catalogue.groups.values())
    shape = " x ".join("any" if size is None else str(size) for size in checked.spec.shape)
    each = (
        str(sizes[0])
        if min(sizes) == max(sizes)
        else f"{min(sizes)} to {max(sizes)}, median {statistics.median(sizes):g}"
    )
    return {
        "modality": f"{checked.spec.modality} {shape}".strip(),
        "examples": f"{sum(sizes):,}",
        "classes": f"{len(sizes):,}",
        "examples per class": each,
        "groups": f"{len(groups):,}" if groups else "none",
    } | {f"{split} classes": f"{len(names):,}" for split, names in checked.splits.items()}


def draw_episodes(
    checked: CheckedData, episodes: EpisodeOptions, *, split: str, count: int
) -> list[Episode]:
    """The first episodes of a split, the very ones that EpisodeGen writes.

    Args:
      checked: from `check_data`.
      episodes: what an episode is.
      split: "train", "eval" or "test".
      count: how many.
    """
    planner = make_planner(checked.spec, episodes, checked.catalogue, checked.splits)
    wanted = {
        example_id
        for index in range(count)
        for example_id in planner.example_ids(split, planner.plan(split, index))
    }
    content: dict[str, bytes] = {}
    for part in checked.source.parts():
        content |= {s.example_id: s.content for s in checked.source.read(part) if s[0] in wanted}
        if len(content) == len(wanted):
            break
    return [
        decode_episode(assemble(planner, split, index, content.__getitem__), checked.spec)
        for index in range(count)
    ]


def save_sheet(episodes: Sequence[Episode], spec: ExampleSpec, path: str | Path) -> None:
    """Draws episodes below each other: a row for each class, support left of the line.

    Of image-to-image episodes, a row of inputs and a row of targets.

    Raises:
      UserError: the examples are not images.
    """
    if spec.modality != "image":
        raise UserError(f"a sheet can show images only: the data are {spec.modality}.")
    panels = [_draw_episode(episode, _rows(episode, spec)) for episode in episodes]
    width = max(panel.width for panel in panels)
    sheet = Image.new("RGB", (width, sum(panel.height for panel in panels)), PAPER)
    top = 0
    for panel in panels:
        sheet.paste(panel, (0, top))
        top += panel.height
    partial = Path(path).with_suffix(".partial.png")
    sheet.save(partial)
    partial.replace(path)


def _rows(episode: Episode, spec: ExampleSpec) -> list[Row]:
    if spec.target_shape is not None:
        sides = episode.support_y, episode.query_y
        targets = [list(_as_pixels(side.reshape(-1, *spec.target_shape))) for side in sides]
        inputs = list(episode.support_x), list(episode.query_x)
        return [Row(episode.class_names[0], *inputs), Row("target", *targets)]
    return [
        Row(
            name,
            [x for x, y in zip(episode.support_x, episode.support_y) if y == label],
            [x for x, y in zip(episode.query_x, episode.query_y) if y == label],
        )
        for label, name in enumerate(episode.class_names)
    ]


def _as_pixels(brightness: np.ndarray) -> np.ndarray:
    """0..1 to uint8."""
    return np.round(255.0 * np.clip(brightness, 0.0, 1.0)).astype(np.uint8)


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
        draw.text((GAP, top), caption, fill=INK)
        for column, image in enumerate(support):
            panel.paste(_tile(image), (GAP + column * step, top + CAPTION))
        for column, image in enumerate(query, start=shots):
            panel.paste(_tile(image), (2 * GAP + column * step, top + CAPTION))
    return panel


def _tile(image: np.ndarray) -> Image.Image:
    channels = image[..., 0] if image.shape[-1] == 1 else image
    return Image.fromarray(channels).convert("RGB").resize((TILE, TILE))


def describe(episode: Episode, spec: ExampleSpec) -> list[str]:
    """An episode as lines of text, for examples that are no images: its support set and queries."""
    lines = [f"episode {episode.index}"]
    for part, examples, answers in (
        ("support", episode.support_x, episode.support_y),
        ("query", episode.query_x, episode.query_y),
    ):
        for x, y in zip(examples, answers):
            answer = _short(y) if spec.regression else episode.class_names[y]
            lines.append(f"  {part:8}{_short(x)} -> {answer}")
    return lines


def _short(value: object) -> str:
    """A text or an array in at most some sixty characters."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:60] + "...")
    array = np.asarray(value)
    if array.size > 6:
        size = " x ".join(map(str, array.shape))
        return f"{size} numbers, {array.min():.3g} to {array.max():.3g}"
    return ", ".join(f"{number:.3f}" for number in array.ravel())
