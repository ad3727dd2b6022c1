"""What can be configured of meta-training: the sections `learner` and `training`."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from components.meta_trainer import backbones, learners
from serving.errors import UserError


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class AugmentOptions:
    """How a training episode is varied each time it is used; labels are always permuted."""

    regroup: bool = True
    """Draw anew which examples of a class are support and which are query."""
    rotate: bool = False
    """Images: turn each class of an episode by 0, 90, 180 or 270 degrees."""
    mirror: bool = False
    """Images: mirror each class of an episode or not."""
    warp: float = Field(default=0.0, ge=0, lt=0.5)
    """Images: stretch and shear each class by up to this share, each image by half of it."""
    speed: float = Field(default=0.0, ge=0, lt=1)
    """Audio: play each episode faster or slower by up to this share."""
    drop_words: float = Field(default=0.0, ge=0, lt=1)
    """Text: leave out each word with this probability."""


@dataclass(frozen=True, config={"extra": "forbid", "strict": True})
class TrainingOptions:
    """The section `training`."""

    steps: int = Field(default=2000, ge=1)
    """Meta-steps."""
    episodes_per_step: int = Field(default=32, ge=1)
    """Episodes that one meta-gradient is averaged over (the papers' meta-batch)."""
    meta_rate: float | None = Field(default=None, gt=0)
    """Adam's rate; the learner's own default if null."""
    schedule: Literal["constant", "cosine", "linear"] | None = None
    """How the rate falls over meta-training, by steps or by time; the learner's own if null."""
    clip_norm: float | None = Field(default=None, gt=0)
    """Largest global norm of a meta-gradient; the learner's own default if null."""
    eval_every: int = Field(default=200, ge=1)
    """Meta-steps between evaluations on meta-validation episodes."""
    eval_episodes: int = Field(default=200, ge=1)
    """How many of these episodes are used, always the same."""
    checkpoint_every: int = Field(default=200, ge=1)
    """Meta-steps between checkpoints; a killed run goes on from the last."""
    max_seconds: float | None = Field(default=None, gt=0)
    """End earlier when this much time is spent in meta-training; schedules end with it."""
    seed: int = 0
    """Of the initial weights and of all that varies from step to step."""
    jit_compile: bool = True
    """Compile the meta-step with XLA."""
    augment: AugmentOptions = AugmentOptions()


def learner_options(section: Mapping[str, Any]) -> tuple[str, Any]:
    """The learner's name and its checked options, from the section `learner`.

    Raises:
      UserError: no such learner, or an option that it does not have.
    """
    return _lookup(section, learners, "learner", default="maml", skip={"name", "backbone"})


def backbone_options(section: Mapping[str, Any], default: str) -> tuple[str, Any]:
    """The backbone's name and its checked options, from `learner.backbone`.

    Raises:
      UserError: no such backbone, or an option that it does not have.
    """
    inner = section.get("backbone") or {}
    return _lookup(inner, backbones, "learner.backbone", default=default, skip={"name"})


def _lookup(section: Mapping[str, Any], table: Any, path: str, *, default: str, skip: set[str]):
    name = section.get("name", default)
    try:
        options, _ = table.lookup(str(name))
    except KeyError:
        known = ", ".join(sorted(table.TABLE))
        raise UserError(f"`{path}.name` must be one of {known}; got {name!r}.") from None
    given = {key: value for key, value in section.items() if key not in skip}
    fields = sorted(options.__dataclass_fields__)
    for key in given:
        if key not in fields:
            raise UserError(f"`{path}.{key}` is not an option of {name!r}; {_known(key, fields)}")
    return name, checked(options, given, path)


def checked(options: type, values: Mapping[str, Any], path: str) -> Any:
    """Builds a dataclass of options from plain values.

    Raises:
      UserError: a field is unknown, missing or of the wrong type; the message names it as
        `path.field`, states the rule and what came.
    """
    try:
        # As JSON: strict about types, yet a mapping may stand for a nested dataclass.
        return TypeAdapter(options).validate_json(json.dumps(dict(values)))
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, UserError):
            raise cause from None
        where = ".".join(str(part) for part in (path, *first["loc"]) if part != "")
        rule = first["msg"][0].lower() + first["msg"][1:]
        if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            section = _section(options, first["loc"][:-1])
            known = _known(str(first["loc"][-1]), sorted(section.__dataclass_fields__))
            raise UserError(f"`{where}` is not an option; {known}") from None
        raise UserError(f"`{where}`: {rule}; got {first['input']!r}.") from None


def _known(key: str, names: Sequence[str]) -> str:
    """What there is instead of `key`: the name that is most like it, or all."""
    alike = difflib.get_close_matches(key, names, n=1)
    return f"did you mean `{alike[0]}`?" if alike else f"there are {', '.join(names) or 'none'}."


def _section(options: type, location: tuple) -> Any:
    """The dataclass that a location in nested options lies in."""
    for part in location:
        options = options.__dataclass_fields__[part].type  # type: ignore[attr-defined]
    return options
