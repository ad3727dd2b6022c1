"""One row of a table."""

from typing import NamedTuple


class Row(NamedTuple):
    """One row of a table, usable or not.

    Attributes:
      number: counted from 1, without the header and empty lines.
      line: of the file, from 1, that it begins in.
      values: column -> text, as it stands in the file; a number in JSON stays "3" or "3.0".
      problem: why it is not usable, as half a sentence; None if nothing is wrong.
    """

    number: int
    line: int
    values: dict[str, str]
    problem: str | None = None
