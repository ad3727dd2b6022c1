"""Learners outside the project, named as `module.factory`, like `my_learner.nearest`.

The module is one that Python finds, or lies in the current folder. The factory is
`(options, network, task) -> learners.base.Learner`, as the project's own; its first argument
is annotated with the dataclass of its options.
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
    """Whether this is the name of a learner outside the project."""
    return "." in name


def lookup(name: str) -> tuple[type, Callable[..., Any]]:
    """The options class and the factory.

    Raises:
      UserError: there is no such module or factory, it cannot be imported, or it does not say what
        its options are.
    """
    module, _, attribute = name.rpartition(".")
    here = str(Path.cwd())
    if here not in sys.path:  # where the installed `fewshot` does not look by itself
        sys.path.append(here)
    try:
        factory = getattr(importlib.import_module(module), attribute)
        first, *_ = inspect.signature(factory).parameters
        options = typing.get_type_hints(factory).get(first)
    except Exception as error:  # whatever the user's code raises
        raise UserError(
            f"`learner.name` must be a learner of the project or `module.factory` of one's own: "
            f"{name!r} gave {type(error).__name__}: {error}."
        ) from error
    if not dataclasses.is_dataclass(options):
        raise UserError(
            f"`learner.name`: {name!r} must annotate its first argument, `{first}`, with the "
            "dataclass of its options; it does not."
        )
    return typing.cast(type, options), factory


def code(section: Mapping[str, Any]) -> list[str]:
    """The file that holds the learner of the section `learner`; none for the project's learners.

    A change of it trains anew. What it imports is not looked at.
    """
    name = section.get("name", "")
    return [str(Path(inspect.getfile(lookup(name)[1])).resolve())] if is_own(name) else []
