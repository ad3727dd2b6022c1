"""The configurations that a comparison tries: learners, times the cells of a grid."""

import itertools
from collections.abc import Sequence
from typing import Any

import yaml

from pipeline.config import Config, build_config, with_override
from pipeline.renamed_keys import current_path
from serving.errors import UserError

SECTIONS = ("learner", "training")
"""What may differ between trials, which have their episodes in common."""


def candidates(config: Config, learners: Sequence[str], grid: Sequence[str]) -> dict[str, Config]:
    """One configuration for each learner and cell of the grid, by a name of its own.

    Args:
      config: the configuration that all begin with.
      learners: names of learners; none for that of `config`.
      grid: keys and their values, each "section.key=value,value"; several make a product.

    Raises:
      UserError: a key or a value is wrong, or there are fewer than two configurations.
    """
    own = config.learner.get("name", "maml")
    axes = [_parse(text, config) for text in grid]
    paths = [path for path, _ in axes]
    if len(set(paths)) < len(paths):
        raise UserError(f"`--grid` must name each key once; got {', '.join(paths)}.")
    found: dict[str, Config] = {}
    for learner in learners or [own]:
        for cell in itertools.product(*(values for _, values in axes)):
            values = config.to_dict() | {"learner": learner_section(config, learner)}
            for path, value in zip(paths, cell):
                values = with_override(values, path, value)
            words = [f"{p.removeprefix('learner.')}={_text(v)}" for p, v in zip(paths, cell)]
            name = " ".join(words if words and len(learners) < 2 else [learner, *words])
            found[name] = build_config(values)
    if len(found) < 2:
        raise UserError(
            "`--learners` must be two or more different ones, or `--grid` must give a key two or "
            f"more values; got only {', '.join(found)}."
        )
    return found


def learner_section(config: Config, name: str) -> dict[str, Any]:
    """The section `learner` of the configuration of one learner.

    The options of the configuration's own learner apply to that learner alone, its backbone to all.
    """
    if config.learner.get("name", "maml") == name:
        return {"name": name} | config.learner
    backbone = config.learner.get("backbone")
    return {"name": name} | ({"backbone": backbone} if backbone else {})


def _parse(text: str, config: Config) -> tuple[str, list[Any]]:
    """The path and the values of `section.key=value,value`."""
    path, equals, listed = text.partition("=")
    try:
        values = yaml.safe_load(f"[{listed}]")
    except yaml.YAMLError:
        values = None
    if not equals or not values or not all(path.split(".")):
        raise UserError(f"`--grid` must be section.key=value,value,...; got {text!r}.")
    path = current_path(path, config.to_dict())
    section = path.partition(".")[0]
    if section in Config.__dataclass_fields__ and section not in SECTIONS:
        raise UserError(
            f"`--grid` can vary keys of {' and '.join(SECTIONS)} alone, for all trials have the "
            f"same episodes; got {path!r}. Use `--set` for all trials together."
        )
    return path, [value for n, value in enumerate(values) if value not in values[:n]]


def _text(value: Any) -> str:
    """A value as one would type it."""
    return yaml.safe_dump(value, default_flow_style=True, width=1000).split("\n")[0]
