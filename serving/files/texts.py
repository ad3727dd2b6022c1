"""Which texts can be used: the same rule for training and for a query."""

import re

MAX_CHARACTERS = 1_000  # what follows in a text has no part in the answer
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def unusable(text: str) -> str | None:
    """Why nothing can be learned from a text, as half a sentence; None if something can.

    The network sees words alone, and a served model refuses a text without any.
    """
    start = text[:MAX_CHARACTERS]
    if not start.strip():
        return "it is empty"
    if has_half_character(text):
        return "it holds half a character (a lone surrogate)"
    if not _LETTER_OR_DIGIT.search(start):
        return "it has no letter or digit"
    return None


def has_half_character(text: str) -> bool:
    """Whether it has a lone surrogate, as JSON can name; no encoding has any."""
    return not text.isascii() and _HALF_CHARACTER.search(text) is not None
