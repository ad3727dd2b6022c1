"""A look at a user's own files, before there is any configuration.

A module for each kind, with `matches(path) -> bool` (quick) and `inspect(path) -> Inspection`.
To add a kind, write such a module and name it in `KINDS`; the first that matches is taken.
"""

import importlib
from pathlib import Path

from components.episode_gen.inspection.base import Inspection
from serving.errors import UserError

KINDS = {
    "a folder with one sub-folder of images (png, jpg, bmp, gif) a class": "images",
    "one of wav files a class": "recordings",
    "a .csv, .tsv or .jsonl file of texts and their classes": "texts",
}
"""What a user may bring -> the module that looks at it."""


def inspect(path: Path) -> Inspection:
    """What lies at a path.

    Raises:
      UserError: nothing is there, or nothing that can be learned from.
    """
    if not path.exists():
        raise UserError(f"the path must be that of your data: {str(path)!r} is not there.")
    for module in KINDS.values():
        kind = importlib.import_module(f"{__name__}.{module}")
        if kind.matches(path):
            return kind.inspect(path)
    *most, last = KINDS
    raise UserError(f"{str(path)!r} must be {', '.join(most)} or {last}, and is not.")
