"""What the sections `data` and `episodes` share."""

from typing import Any

from serving.errors import UserError

STRICT: Any = {"extra": "forbid", "strict": True}


def require(name: str, value: int, *, at_least: int) -> None:
    """Raises UserError where a number is too small."""
    if value < at_least:
        raise UserError(f"`{name}` must be at least {at_least}: got {value}.")
