"""Prints what is not read of a user's data, by name and number, and why."""

from collections.abc import Mapping

from rich.console import Console

from components.episode_gen.check import CheckedData
from serving.files.unreadable import printable

MAX_NAMES = 20
"""Maximal number of names of a kind that are listed; the rest is counted."""


def print_left_out(console: Console, data: CheckedData) -> None:
    """Prints the examples, files and classes that a run leaves out, a line each."""
    kinds = {
        "skipped": data.skipped,
        "not read": data.ignored,
        "copy": {name: f"equals {other}" for name, other in data.copies.items()},
        "class left out": {name: f"{size} examples" for name, size in data.small.items()},
    }
    for what, reasons in kinds.items():
        for name, reason in list(reasons.items())[:MAX_NAMES]:
            console.print(f"  {what} {printable(name)}: {reason}", soft_wrap=True)
        if len(reasons) > MAX_NAMES:
            console.print(f"  and {len(reasons) - MAX_NAMES} more, {len(reasons)} in all")


def print_reasons(console: Console, title: str, reasons: Mapping[str, str]) -> None:
    """Prints a title with the number of names, and each name with its reason."""
    print_names(console, title, [f"{name}: {reason}" for name, reason in reasons.items()])


def print_names(console: Console, title: str, names: list[str]) -> None:
    """Prints a title with the number of names, and the first of them; nothing of none."""
    if not names:
        return
    console.print(f"{title} ({len(names)}):")
    for name in names[:MAX_NAMES]:
        console.print(f"  {printable(name)}", soft_wrap=True)
    if len(names) > MAX_NAMES:
        console.print(f"  and {len(names) - MAX_NAMES} more")
