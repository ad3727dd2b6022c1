"""One row of a table."""

from typing import NamedTuple


class Row(NamedTuple):
    """One row of a table, usable or not."""

    number: int  # counted from 1, without the header and empty lines
    line: int  # of the file, from 1, that it begins in
    # Column -> text, as it stands in the file; a number in JSON stays "3" or "3.0".
    values: dict[str, str]
    problem: str | None = None  # why it is not usable, as half a sentence; None if nothing is wrong
