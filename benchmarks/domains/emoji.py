"""Emoji by who drew them: a domain is a hand, and the hand of meta-test is new.

Three drawings of an emoji by Google and Mozilla, or three by Microsoft: no emoji is in both groups,
so that meta-test's are new classes too. Of Microsoft's one is in black and white. The packages of
npm that are drawn here are under Apache-2.0 (Noto, fxemoji) and MIT (Fluent); nothing of them is
committed. Needed are npm and `resvg-py`.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.own_data.prepare import draw_icon, icons_of, write_images

HANDS = {
    "google_and_mozilla": ("noto", "noto-v1", "fxemoji"),
    "microsoft": ("fluent-emoji-flat", "fluent-emoji", "fluent-emoji-high-contrast"),
}
"""Group -> the packages that draw it. An emoji that the first has is not in the second."""
SECOND = 200
"""Emoji of the second group."""


def emoji_by_hand(folder: Path) -> Path:
    """Writes hand/emoji/drawing.png in colour, unless it is there; returns the folder of hands."""
    target = folder / "emoji_by_hand"
    if target.is_dir():
        return target
    drawn = {
        hand: [_by_letters(icons_of(folder / "npm", package)) for package in packages]
        for hand, packages in HANDS.items()
    }
    first, second = (set.intersection(*map(set, icons)) for icons in drawn.values())
    rest = np.random.default_rng(0).permutation(sorted(second - first))[:SECOND]

    def images() -> Iterator[tuple[str, np.ndarray]]:
        for (hand, packages), names in zip(drawn.items(), (first, rest)):
            for name in sorted(names):
                for icons in packages:
                    yield f"{hand}/{name}", draw_icon(icons[name])

    return write_images(target, images())


def _by_letters(icons: dict[str, str]) -> dict[str, str]:
    """The icons by name without hyphens, in which the packages differ; no flags and skin tones."""
    plain = {name: svg for name, svg in icons.items() if not re.search("skin-tone|^flag-", name)}
    return {name.replace("-", ""): svg for name, svg in plain.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the pictures go")
    print(emoji_by_hand(parser.parse_args().folder))
