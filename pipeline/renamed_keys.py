"""Old names of configuration keys: they are still read, with a notice."""

from typing import Any

import click

from components.meta_trainer import learners
from serving.errors import UserError

RENAMED = {
    "training.meta_rate": "training.meta_learning_rate",
    "training.augment.warp": "training.augment.affine",
    "learner.inner_rate": "learner.inner_learning_rate",
    "learner.rate_low": "learner.learning_rate_low",
    "learner.rate_high": "learner.learning_rate_high",
}
"""The old path of a key -> its path today."""


def use_current_names(values: dict[str, Any]) -> None:
    """Moves the value of every old key to the key's new name, in place.

    Raises:
      UserError: a key is given under its old and its new name.
    """
    for old in RENAMED:
        *sections, key = old.split(".")
        section: Any = values
        for name in sections:
            section = section.get(name) if isinstance(section, dict) else None
        if not isinstance(section, dict) or key not in section:
            continue
        new = current_path(old, values)
        new_key = new.rpartition(".")[2]
        if new != old and new_key in section:
            raise two_names_error(new, old)
        section[new_key] = section.pop(key)


def current_path(path: str, values: dict[str, Any]) -> str:
    """The path of a key today; prints a notice if it is another than `path`.

    A learner of the user's own, named by `values`, may have an option of an old name: it stays.
    """
    new = RENAMED.get(path, path)
    section, _, key = path.partition(".")
    if new == path or (section == "learner" and _has_option(values.get("learner"), key)):
        return path
    click.echo(f"note: `{path}` is now named `{new}`; the old name is still read.", err=True)
    return new


def two_names_error(new: str, old: str) -> UserError:
    """The mistake of giving a key under both names."""
    return UserError(f"`{new}` must be given once: got it, and its old name `{old}` too.")


def _has_option(section: Any, key: str) -> bool:
    name = section.get("name", "maml") if isinstance(section, dict) else "maml"
    try:
        options: Any = learners.lookup(str(name))[0]
    except (KeyError, UserError):  # `build_config` will say so
        return False
    return key in options.__dataclass_fields__
