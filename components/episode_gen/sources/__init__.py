"""Sources of class data: a module each, with a function `open_source(DataOptions) -> Source`.

To add one to the project, write such a module and name it here; README.md shows one of the user's.
"""

import importlib
from typing import Any

from components import user_modules

_NAMES = (
    *("glyphs", "tfds", "folder", "table", "served"),
    *("sinusoid", "styles", "styles_in_colour"),
)
SOURCES = {name: f"components.episode_gen.sources.{name}" for name in _NAMES}
REGRESSION_SOURCES = ("sinusoid", "styles", "styles_in_colour")
"""Those whose examples have float targets; each "class" is one task."""


def open_source(data: Any) -> Any:
    """The `base.Source` that `data` (a `DataOptions`) names.

    Raises:
      UserError: the data are not there, or are not of the kind that the options say.
    """
    if user_modules.is_own(data.source):
        return user_modules.load(data.source, "data.source")(data)
    return importlib.import_module(SOURCES[data.source]).open_source(data)


def gives_targets(source: str) -> bool | None:
    """Whether a source's examples have float targets; `None` of a user's own, before it is open."""
    return None if user_modules.is_own(source) else source in REGRESSION_SOURCES
