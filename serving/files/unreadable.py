"""The reason why one file cannot be read."""

import os
from pathlib import Path


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
    r"""Returns a name that can be printed: a byte that is not UTF-8 becomes "\xe9"."""
    try:
        return os.fsencode(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character, as JSON can have
        return name.encode("utf-8", "backslashreplace").decode()
