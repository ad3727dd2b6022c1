"""The built-in default: glyphs, drawn once into a cache folder."""

import contextlib
import io
import os
from pathlib import Path

from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import Source
from components.episode_gen.sources.tfds import TfdsSource
from components.episode_gen.sources.tfds_prepare import prepare


def open_source(data: DataOptions) -> Source:
    """Draws the glyphs into `data.data_dir`, or a cache folder, unless they are there."""
    from components.episode_gen.glyphs.builder import Glyphs

    builder = Glyphs(data_dir=data.data_dir or str(_cache()))
    # TFDS prints that it downloads data of unknown size: it does not.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        prepare(builder, "glyphs")
    return TfdsSource(builder, data)


def _cache() -> Path:
    # Not TFDS_DATA_DIR: that folder may be shared and read-only.
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fewshot-pipeline"
