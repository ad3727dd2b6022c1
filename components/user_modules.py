"""Parts of the user's own: a learner, a backbone or a data source named as `module.name`.

The module is one that Python finds, or lies in the current folder. The factories of learners and
backbones annotate their first argument with the dataclass of their options, as the project's own
do.
"""

import dataclasses
import importlib
import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from serving.errors import UserError


def is_own(name: str) -> bool:
    """Whether this is the name of a part outside the project."""
    return "." in name


def load(name: str, key: str) -> Any:
    """The attribute of a module of the user's own, named `module.attribute` by the option `key`.

    Raises:
      UserError: there is no such module or attribute, or it cannot be imported.
    """
    module, _, attribute = name.rpartition(".")
    here = str(Path.cwd())
    if here not in sys.path:  # where the installed `fewshot` does not look by itself
        sys.path.append(here)
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever the user's code raises
        raise UserError(
            f"`{key}` must be a name of the project's or `module.name` of one's own: {name!r} gave "
            f"{type(error).__name__}: {error}."
        ) from error


def lookup(name: str, table: Mapping[str, str], key: str) -> tuple[type, Callable[..., Any]]:
    """The options class and the factory of a learner or backbone; imports only its module.

    Args:
      name: as configured.
      table: names of the project's factories -> the full names of their modules.
      key: path of the configuration's key that holds the name, for messages.

    Raises:
      KeyError: the table has no such name.
      UserError: a part of the user's own cannot be imported, or does not say what its options are.
    """
    if is_own(name):
        factory = load(name, key)
    else:
        factory = getattr(importlib.import_module(table[name]), name)
    first, *_ = inspect.signature(factory).parameters
    options = typing.get_type_hints(factory).get(first)
    if not dataclasses.is_dataclass(options):
        raise UserError(
            f"`{key}`: {name!r} must annotate its first argument, `{first}`, with the "
            "dataclass of its options; it does not."
        )
    return typing.cast(type, options), factory
