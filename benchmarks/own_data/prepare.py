"""Data sets as a stranger has them: folders of files, or tables, with nothing of this project.

Emoji are pictures of npm packages of `@iconify-json`: Noto (Apache-2.0, Google) and Fluent (MIT,
Microsoft). `npm` fetches them, `resvg-py` draws them (`pip install resvg-py`); both are needed for
this data set alone, and nothing of it is committed.
"""

import csv
import io
import itertools
import json
import subprocess
import tarfile
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.own_data import generated

STYLES = ("noto", "noto-v1", "fluent-emoji-flat")
EMOJI, EMOJI_SIZE = 800, 64


class DataSet(NamedTuple):
    """A data set of this benchmark.

    Attributes:
      title: what it is, in the table.
      write: writes it below a folder; returns the path that is given to `fewshot init`.
      arguments: further arguments of `fewshot init`.
    """

    title: str
    write: Callable[[Path], Path]
    arguments: tuple[str, ...] = ()


def tfds_examples(name: str, splits: str = "train+test") -> Iterator[dict[str, Any]]:
    """Reads a data set of TFDS; `TFDS_DATA_DIR` says where it is prepared."""
    import tensorflow_datasets as tfds

    return iter(tfds.as_numpy(tfds.load(name, split=splits)))


def tfds_names(name: str, feature: str) -> list[str]:
    """Reads the names of a feature's classes."""
    import tensorflow_datasets as tfds

    return tfds.builder(name).info.features[feature].names


def write_table(path: Path, header: list[str], rows: list[list[str]], delimiter: str) -> Path:
    """Writes a table of texts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def write_images(root: Path, images: Iterator[tuple[str, np.ndarray]]) -> Path:
    """Writes images as png, given the folder of each and its pixels `uint8 [H, W(, C)]`."""
    counts: Counter[str] = Counter()
    for folder, pixels in images:
        counts[folder] += 1
        (root / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / folder / f"{counts[folder]:03}.png")
    return root


def write_recording(path: Path, samples: np.ndarray, rate: int) -> None:
    """Writes samples `int16 [T]` as a wav file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())


def requests_by_domain(folder: Path) -> Path:
    """CLINC150 as a table with a column of domains: whole domains are new."""
    return write_table(folder / "requests.csv", ["text", "intent", "domain"], _clinc(), ",")


def requests(folder: Path) -> Path:
    """CLINC150 as another export has it: German titles, semicolons, the class first."""
    rows = [[intent, text] for text, intent, _ in _clinc()]
    return write_table(folder / "anfragen.csv", ["Kategorie", "Anfrage"], rows, ";")


def _clinc() -> list[list[str]]:
    return [
        [example[key].decode() for key in ("text", "intent_name", "domain_name")]
        for example in tfds_examples("clinc_oos", "train+validation")
    ]


def speakers(folder: Path) -> Path:
    """Spoken digits: speaker/digit/recording.wav."""
    for example in tfds_examples("spoken_digit", "train"):
        digit, speaker, take = example["audio/filename"].decode().removesuffix(".wav").split("_")
        path = folder / "digits" / speaker / digit / f"{take}.wav"
        write_recording(path, example["audio"], 8000)
    return folder / "digits"


def alphabets(folder: Path) -> Path:
    """Omniglot: alphabet/character/drawing.png."""
    names = tfds_names("omniglot", "alphabet")
    return write_images(
        folder / "alphabets",
        (
            (f"{names[one['alphabet']]}/{one['alphabet_char_id']:02}", one["image"][..., 0])
            for one in tfds_examples("omniglot")
        ),
    )


def handwritten_digits(folder: Path) -> Path:
    """CMATERdb: 30 folders, a digit of a script each, 100 drawings."""

    def images() -> Iterator[tuple[str, np.ndarray]]:
        for script in ("bangla", "devanagari", "telugu"):
            counts: Counter[int] = Counter()
            for one in tfds_examples(f"cmaterdb/{script}"):
                counts[one["label"]] += 1
                if counts[one["label"]] <= 100:
                    yield f"{script}_{one['label']}", one["image"]

    return write_images(folder / "handwritten", images())


def symbols(folder: Path) -> Path:
    """The built-in glyphs of ten alphabets: 200 classes, 20 drawings each."""
    from components.episode_gen.glyphs import builder

    names = [f"{name}_{i:02}" for name in builder.alphabet_names() for i in range(20)]
    images = (example for _, example in builder.Glyphs()._generate_examples())
    first = itertools.islice(images, 200 * builder.DRAWINGS)
    return write_images(
        folder / "symbols", ((names[one["label"]], one["image"][..., 0]) for one in first)
    )


def emoji(folder: Path) -> Path:
    """Emoji, a class each, drawn in three styles, in colour on white."""
    styles = [icons_of(folder / "npm", style) for style in STYLES]
    names = sorted(set.intersection(*(set(icons) for icons in styles)))
    names = [name for name in names if "skin-tone" not in name and not name.startswith("flag-")]
    chosen = np.random.default_rng(0).permutation(names)[:EMOJI]

    def images() -> Iterator[tuple[str, np.ndarray]]:
        for name in sorted(chosen):
            for icons in styles:
                yield name, draw_icon(icons[name])

    return write_images(folder / "emoji", images())


def draw_icon(svg: str) -> np.ndarray:
    """Draws an SVG on white: `uint8 [EMOJI_SIZE, EMOJI_SIZE, 3]`."""
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=EMOJI_SIZE, height=EMOJI_SIZE, background="#ffffff"
    )
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"))


def icons_of(cache: Path, style: str) -> dict[str, str]:
    """The SVG of each icon of a package, fetched by its npm name."""
    cache.mkdir(parents=True, exist_ok=True)
    archives = list(cache.glob(f"iconify-json-{style}-[0-9]*.tgz"))
    if not archives:
        subprocess.run(["npm", "pack", f"@iconify-json/{style}"], cwd=cache, check=True)
        archives = list(cache.glob(f"iconify-json-{style}-[0-9]*.tgz"))
    with tarfile.open(archives[0]) as archive:
        content = json.load(archive.extractfile("package/icons.json"))  # type: ignore
    size = f"0 0 {content['width']} {content['height']}"
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}">'
    return {name: f"{start}{icon['body']}</svg>" for name, icon in content["icons"].items()}


def faces(folder: Path) -> Path:
    """Generated pictures that resemble portraits: 40 classes of 10, centred, small variation."""
    return write_images(folder / "portraits", generated.faces())


def textures(folder: Path) -> Path:
    """Generated coloured textures: 60 classes of 20 crops, mirrored at random."""
    return write_images(folder / "textures", generated.textures())


def sounds(folder: Path) -> Path:
    """Generated sounds: 60 classes of 12 recordings."""
    counts: Counter[str] = Counter()
    for name, samples in generated.sounds():
        counts[name] += 1
        path = folder / "sounds" / name / f"{counts[name]}.wav"
        write_recording(path, (samples * 32767).astype(np.int16), generated.SAMPLE_RATE)
    return folder / "sounds"


GROUP = ("--split-by", "group")
DATA_SETS = {
    "requests_by_domain": DataSet(
        "requests, new domains (CLINC150)", requests_by_domain, ("--split-by", "group")
    ),
    "requests": DataSet("requests, new intents (CLINC150)", requests),
    "speakers": DataSet("spoken digits, a new speaker", speakers, GROUP),
    "sounds": DataSet("generated sounds", sounds),
    "alphabets": DataSet("characters, new alphabets (Omniglot)", alphabets),
    "handwritten_digits": DataSet("handwritten digits (CMATERdb)", handwritten_digits),
    "symbols": DataSet("glyphs", symbols),
    "emoji": DataSet("emoji in three styles, in colour", emoji),
    "faces": DataSet("generated portraits, centred", faces),
    "textures": DataSet("generated textures, in colour", textures),
}
