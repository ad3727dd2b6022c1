"""The shipped configurations, one YAML file for each experiment."""

from pathlib import Path
from typing import overload

_FOLDER = Path(__file__).parent


@overload
def shipped() -> list[Path]: ...
@overload
def shipped(name: str) -> Path: ...
def shipped(name: str | None = None) -> list[Path] | Path:
    """The file of one shipped configuration, or all of them by name."""
    if name is None:
        return sorted(_FOLDER.glob("*.yaml"))
    return _FOLDER / f"{name}.yaml"
