"""Writes `pipeline/configs/REFERENCE.md`: every key, from the classes of the options.

    python -m tests.pipeline.make_reference

A test holds that the committed page is the one that the code gives.
"""

import dataclasses
import inspect
import json
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from components.meta_trainer import backbones, learners
from pipeline import configs
from pipeline.config import Config
from serving import atomic

PAGE = Path(configs.__file__).with_name("REFERENCE.md")
_HEAD = """# Every key of a configuration

Written by `python -m tests.pipeline.make_reference` from the code; do not edit. A key is set in the
YAML file, or over it with `--set section.key=value`. An unknown key and a value out of range are
refused in a sentence before anything runs.
"""
_SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    for field in dataclasses.fields(Config):  # type: ignore[arg-type]
        options = typing.get_type_hints(Config)[field.name]
        if field.name == "learner":
            parts += _named("learner", learners, "maml")
            parts += _named("learner.backbone", backbones, "the one of the modality")
        elif dataclasses.is_dataclass(options):
            parts.append(_section(f"## `{field.name}`", options))
        else:
            parts.append(f"## `{field.name}`\n\n{_description(Config, field.name)}\n")
    return "\n".join(parts)


def _named(path: str, table: Any, default: str) -> list[str]:
    """The sections of parts that are chosen by name, each with options of its own."""
    names = ", ".join(f"`{name}`" for name in table.TABLE)
    own = "\n\n`MODULE.FACTORY` names one of your own." if path == "learner" else ""
    head = f"## `{path}`\n\n`{path}.name` is one of {names}; default: {default}.{own}\n"
    sections = [_section(f"### `{name}`", table.lookup(name)[0]) for name in table.TABLE]
    return [head, *sections]


def _section(title: str, options: Any) -> str:
    rows = list(_rows(options, "", None))
    text = f"{title}\n\n{inspect.cleandoc(options.__doc__)}\n"
    if not rows:
        return text
    table = ["| key | type | default | range | meaning |", "|---|---|---|---|---|"]
    return "\n".join([text, *table, *(f"| {' | '.join(row)} |" for row in rows), ""])


def _rows(options: Any, prefix: str, defaults: Any) -> Iterator[tuple[str, ...]]:
    """(key, type, default, range, meaning) of each field, those of nested options too."""
    hints = typing.get_type_hints(options, include_extras=True)
    for name, field in options.__pydantic_fields__.items():
        default = field.get_default(call_default_factory=True)
        if defaults is not None:
            default = getattr(defaults, name)
        if dataclasses.is_dataclass(hints[name]):
            yield from _rows(hints[name], f"{prefix}{name}.", default)
            continue
        yield (
            f"`{prefix}{name}`",
            _type(hints[name]),
            "" if default is PydanticUndefined else f"`{json.dumps(default)}`",
            ", ".join(_bounds(field.metadata)),
            _description(options, name).replace("|", "\\|"),
        )


def _bounds(rules: Sequence[Any]) -> list[str]:
    return [
        f"{sign} {getattr(rule, key):g}"
        for rule in rules
        for key, sign in _SIGNS.items()
        if hasattr(rule, key)
    ]


def _description(options: type, name: str) -> str:
    """The sentence below a field, in the class that declares it last."""
    for parent in options.__mro__:
        field = getattr(parent, "__pydantic_fields__", {}).get(name)
        if field is not None and field.description:
            return " ".join(field.description.split())
    return ""


def _type(hint: Any) -> str:
    """A type in words, as YAML has it."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in arguments)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type(part) for part in arguments)
    if origin is typing.Annotated:
        return " ".join([_type(arguments[0]), *_bounds(arguments[1].metadata)])
    if origin is tuple:
        count = "" if arguments[-1] is ... else f"{len(arguments)} x "
        return f"list of {count}{_type(arguments[0])}"
    if origin is dict:
        return f"mapping to {_type(arguments[1])}"
    if dataclasses.is_dataclass(hint):
        return "options as above"
    return {types.NoneType: "null", int: "integer", float: "number", bool: "boolean"}.get(
        hint, "text"
    )


if __name__ == "__main__":
    atomic.write_text(PAGE, page())
