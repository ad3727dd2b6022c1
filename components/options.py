"""The one style of options: frozen, strict dataclasses whose fields state range and meaning.

    @options_class
    class BeamOptions:
        workers: int = Field(default=1, ge=1)
        \"\"\"Worker processes of the local runner.\"\"\"

The sentence below a field is its description in the page of all options, pipeline/configs/
REFERENCE.md, which `python -m tests.pipeline.make_reference` writes.
"""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, dataclass_transform

import pydantic.dataclasses
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from serving.errors import UserError

T = TypeVar("T")
_CONFIG = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)
_WORDS = {
    "Input should be": "must be",
    "greater than or equal to": "at least",
    "less than or equal to": "at most",
    "greater than": "above",
    "less than": "below",
}


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def options_class(cls: type[T]) -> type[T]:
    """Makes a class of annotated fields a frozen dataclass that checks what it is given."""
    return pydantic.dataclasses.dataclass(cls, frozen=True, config=_CONFIG)  # type: ignore


def build_options(options: type[T], values: Mapping[str, Any], path: str) -> T:
    """Builds options from plain values, as YAML and JSON have them, that lie at `path`.

    Raises:
      UserError: a field is unknown, missing, of the wrong type or out of range; the message names
        it as `path.field`, states the rule and the value given.
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
        if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            section: Any = options
            for part in first["loc"][:-1]:
                section = section.__dataclass_fields__[part].type
            known = alternatives(str(first["loc"][-1]), sorted(section.__dataclass_fields__))
            raise UserError(f"`{where}` is not an option; {known}") from None
        rule = re.sub("|".join(_WORDS), lambda found: _WORDS[found[0]], first["msg"])
        rule = rule if rule.startswith("must") else f"is wrong: {rule}"
        raise UserError(f"`{where}` {rule}; got {first['input']!r}.") from None


def alternatives(key: str, names: Sequence[str]) -> str:
    """What there is instead of `key`: the name that is most like it, or all."""
    alike = difflib.get_close_matches(key, names, n=1)
    return f"did you mean `{alike[0]}`?" if alike else f"there are {', '.join(names) or 'none'}."
