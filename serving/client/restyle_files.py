"""The files of `fewshot restyle`: pairs of pictures, a picture to restyle, and where it goes.

    PAIRS/before/NAME.png    PAIRS/after/NAME.png

A pair has one name; the endings may differ. All pictures of the pairs have one size.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from serving import atomic
from serving.errors import UserError
from serving.files.picture_header import SUFFIXES, read_header
from serving.files.pictures import decode
from serving.files.unreadable import UnreadableFile, printable, read_content

BEFORE, AFTER = "before", "after"
MAX_PAIR_PIXELS = 2_000_000
"""Most pixels of all pictures before: an adaptation keeps a few hundred numbers of each."""
Notice = Callable[[str], None]


def read_pairs(folder: Path, notice: Notice) -> tuple[np.ndarray, np.ndarray]:
    """The pairs below a folder: before and after, each `[S, H, W, 3]` uint8, sorted by name.

    `notice` is given a sentence for each file that was not read as it is.

    Raises:
      UserError: there are none, a picture has no partner, sizes differ, or one cannot be read.
    """
    named = {side: _by_name(folder / side) for side in (BEFORE, AFTER)}
    for side, other in ((BEFORE, AFTER), (AFTER, BEFORE)):
        alone = sorted(named[side].keys() - named[other].keys())
        if alone:
            raise UserError(
                f"Each picture of {folder / side} must have one of the same name in "
                f"{folder / other}: {printable(alone[0])} has none. Add it, or take "
                f"{printable(named[side][alone[0]].name)} away."
            )
    pairs: list[list[np.ndarray]] = []
    for name in sorted(named[BEFORE]):
        files = named[BEFORE][name], named[AFTER][name]
        pair = [read_picture(file, notice) for file in files]
        first, second = (_size(picture) for picture in pair)
        if first != second:
            raise UserError(
                f"The pictures of a pair must have one size, pixel on pixel: {files[0]} has "
                f"{first} pixels, {files[1]} has {second}."
            )
        if pairs and first != _size(pairs[0][0]):
            raise UserError(
                f"All pairs must have one size: {files[0]} has {first} pixels, those before it "
                f"have {_size(pairs[0][0])}. Cut them to one size; scaling would change the style."
            )
        pairs.append(pair)
    pixels = sum(before.shape[0] * before.shape[1] for before, _ in pairs)
    if pixels > MAX_PAIR_PIXELS:
        raise UserError(
            f"The pairs must have at most {MAX_PAIR_PIXELS:,} pixels together: those of {folder} "
            f"have {pixels:,}. Give fewer, or cut pieces of the same place out of both pictures."
        )
    before, after = (np.stack(side) for side in zip(*pairs))
    return before, after


def _by_name(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by their names without ending."""
    if not folder.is_dir():
        raise UserError(
            f"`--support` must be a folder with {BEFORE}/NAME.png and {AFTER}/NAME.png; "
            f"{folder} is no folder."
        )
    named: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        if file.stem in named:
            raise UserError(
                f"A pair must have one picture on each side: {folder} has both "
                f"{printable(named[file.stem].name)} and {printable(file.name)}."
            )
        named[file.stem] = file
    if not named:
        raise UserError(f"`--support` must hold pictures; {folder} has none of png, jpg, webp, ...")
    return named


def read_picture(path: Path, notice: Notice) -> np.ndarray:
    """A picture as a viewer shows it, `[H, W, 3]` uint8: upright, in colour, on white."""
    try:
        content = read_content(path)
        header, picture = read_header(content), decode(content)
    except UnreadableFile as error:
        raise UserError(f"{printable(str(path))} must be a readable picture: {error}.") from error
    if header.transparent:
        notice(f"{printable(str(path))}: transparency was laid on white.")
    if header.colours == "grey":
        notice(f"{printable(str(path))} is grey: its three channels are equal.")
    return picture


def scale_down(picture: np.ndarray, longest: int) -> np.ndarray:
    """The picture, its longer side at most `longest` pixels."""
    from PIL import Image

    height, width = picture.shape[:2]
    share = longest / max(height, width)
    if share >= 1:
        return picture
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def check_output(path: Path, inputs: list[Path]) -> None:
    """UserError unless a png can be written there that replaces none of the inputs."""
    if path.suffix.lower() != ".png":
        raise UserError(f"The output must be a .png file; got {printable(str(path))}.")
    if path.is_dir() or not path.parent.is_dir():
        raise UserError(
            f"The output must be a file in a folder that exists; {printable(str(path))} is not."
        )
    for given in inputs:
        if path.resolve() == given.resolve() or given.resolve() in path.resolve().parents:
            raise UserError(
                f"The output must not overwrite what is read: {printable(str(path))} is, or lies "
                f"in, {printable(str(given))}."
            )


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes `[H, W, 3]` uint8; the file appears whole."""
    from PIL import Image

    with atomic.replacement(path) as temporary:
        Image.fromarray(picture).save(temporary, "PNG")


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"
