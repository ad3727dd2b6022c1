"""Some episodes as one picture: pairs, a query, the model's answer, the truth and a colour map."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from serving import atomic

SHOWN_PAIRS, GAP, TITLE = 3, 4, 14
COLOURS = 128
"""Of the picture's palette, which keeps the file small."""
WANTED = ("halftone", "outline", "posterise")
"""Effects of which the first episode each is shown."""


def save_picture(episodes: Sequence[Any], path: Path) -> None:
    """Draws one row for each of the wanted effects."""
    rows = []
    for effect in WANTED:
        for kinds, support, query, answers, truth in episodes:
            if effect in kinds and "grain" not in kinds:
                rows.append(_row(support, query, answers, truth))
                break
    if not rows:
        raise SystemExit(f"No style has one of {WANTED}: give more `--episodes`.")
    size = rows[0][0].shape[0]
    groups = [2 * SHOWN_PAIRS, 1, 1, 1, 1]
    titles = [f"{SHOWN_PAIRS} of 5 pairs", "picture", "answer", "truth", "colour map"]
    starts, at = [], 0
    for count in groups:
        starts.append(at)
        at += count * (size + GAP) + 3 * GAP
    sheet = Image.new("RGB", (at, TITLE + len(rows) * (size + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    for title, start in zip(titles, starts):
        draw.text((start, 1), title, fill="black")
    for number, row in enumerate(rows):
        images = iter(row)
        for start, count in zip(starts, groups):
            for place in range(count):
                top = TITLE + number * (size + GAP)
                sheet.paste(Image.fromarray(next(images)), (start + place * (size + GAP), top))
    with atomic.replacement(path) as temporary:
        sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(temporary, "PNG", optimize=True)


def _row(support: Any, query: np.ndarray, answers: Any, truth: np.ndarray) -> list[np.ndarray]:
    def pixels(image: np.ndarray) -> np.ndarray:
        return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)

    pairs = [part for x, y in zip(*support) for part in (x, pixels(y))][: 2 * SHOWN_PAIRS]
    shown = (answers["model"][0], truth[0], answers["cubic_colour_map"][0])
    return [*pairs, query[0], *map(pixels, shown)]
