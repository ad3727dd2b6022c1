"""Where class data come from: a module each, with a function `open_source(DataOptions) -> Source`.

To add a source, write such a module and name it here.
"""

import importlib
from typing import Any

SOURCES = {
    "glyphs": "components.episode_gen.sources.glyphs",
    "tfds": "components.episode_gen.sources.tfds",
    "folder": "components.episode_gen.sources.folder",
    "table": "components.episode_gen.sources.table",
    "sinusoid": "components.episode_gen.sources.sinusoid",
    "styles": "components.episode_gen.sources.styles",
}
REGRESSION_SOURCES = ("sinusoid", "styles")
"""Those whose examples have float targets; each "class" is one task."""


def open_source(data: Any) -> Any:
    """The `base.Source` that `data` (a `DataOptions`) names.

    Raises:
      UserError: the data are not there, or are not of the kind that the options say.
    """
    return importlib.import_module(SOURCES[data.source]).open_source(data)
