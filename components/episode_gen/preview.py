"""A look at the data before anything runs: what a source holds, and a sheet of its episodes."""

import statistics
from collections.abc import Sequence
from pathlib import Path

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

    Raises:
      UserError: the examples are not images.
    """
    if spec.modality != "image":
        raise UserError(f"a sheet can show images only: the data are {spec.modality}.")
    panels = [_draw_episode(episode) for episode in episodes]
    width = max(panel.width for panel in panels)
    sheet = Image.new("RGB", (width, sum(panel.height for panel in panels)), PAPER)
    top = 0
    for panel in panels:
        sheet.paste(panel, (0, top))
        top += panel.height
    partial = Path(path).with_suffix(".partial.png")
    sheet.save(partial)
    partial.replace(path)


def _draw_episode(episode: Episode) -> Image.Image:
    rows = [
        (
            [x for x, y in zip(episode.support_x, episode.support_y) if y == label],
            [x for x, y in zip(episode.query_x, episode.query_y) if y == label],
        )
        for label in range(len(episode.class_names))
    ]
    shots = max(len(support) for support, _ in rows)
    columns = shots + max(len(query) for _, query in rows)
    step, row_height = TILE + GAP, TILE + GAP + CAPTION
    size = (columns * step + 3 * GAP, len(rows) * row_height + CAPTION + 2 * GAP)
    panel = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(panel)
    draw.text((GAP, 0), f"episode {episode.index}: support | query", fill=LINE)
    middle = GAP + shots * step
    draw.line([(middle, CAPTION), (middle, size[1] - 2 * GAP)], fill=LINE)
    for row, (support, query) in enumerate(rows):
        top = CAPTION + row * row_height
        draw.text((GAP, top), episode.class_names[row], fill=INK)
        for column, image in enumerate(support):
            panel.paste(_tile(image), (GAP + column * step, top + CAPTION))
        for column, image in enumerate(query, start=shots):
            panel.paste(_tile(image), (2 * GAP + column * step, top + CAPTION))
    return panel


def _tile(image: np.ndarray) -> Image.Image:
    channels = image[..., 0] if image.shape[-1] == 1 else image
    return Image.fromarray(channels).convert("RGB").resize((TILE, TILE))
