"""The reason why one file cannot be read."""

import os
import re
from pathlib import Path

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class UnreadableFile(Exception):
    """One file cannot be read; the message is half a sentence: "it ends too early"."""


def read_content(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
      UnreadableFile: it cannot be opened, or holds no byte.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UnreadableFile(reason_of(error)) from None
    if not content:
        raise UnreadableFile("it is empty (0 bytes)")
    return content


def reason_of(error: Exception) -> str:
    """Half a sentence from an error of the operating system: "no such file or directory"."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]


def printable(name: str) -> str:
    r"""A name or text as a terminal can show it, on one line.

    Control characters, and bytes that are no UTF-8, become escapes: "\n", "\xe9".
    """
    try:
        text = os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character, as JSON can have
        text = name.encode("utf-8", "backslashreplace").decode()
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
