"""Which texts can be used: the same rule for training and for a query."""

MAX_CHARACTERS = 1_000  # what follows in a text has no part in the answer


def unusable(text: str) -> str | None:
    """Why nothing can be learned from a text, as half a sentence; None if something can.

    The network sees words alone, and a served model refuses a text without any.
    """
    start = text[:MAX_CHARACTERS]
    if not start.strip():
        return "it is empty"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "it holds half a character (a lone surrogate)"
    if not any(character.isalnum() for character in start):
        return "it has no letter or digit"
    return None
