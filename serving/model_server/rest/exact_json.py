"""Parses JSON as RapidJSON does in TensorFlow Serving: what it accepts, its messages and offsets.

The rules are those of RapidJSON 1.1.0 with the flags iterative, NaN and infinity, stop when done:
nesting has no limit, bytes that are not UTF-8 pass, text after the first value is ignored. About
50 times slower than Python's own parser, so it reads only what that one does not (`json_text`).
"""

import re
from collections.abc import Iterable
from typing import Any, NoReturn

from serving.protocol.status import invalid_argument

_SPACE = re.compile(rb"[ \n\r\t]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_WHOLE = re.compile(rb"0|[1-9][0-9]*")
_DECIMALS = re.compile(rb"(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_EXPONENT_SIGN = re.compile(rb"[eE][+-]?")
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPES = dict(zip(b'"/\\bfnrt', [b'"', b"/", b"\\", b"\b", b"\f", b"\n", b"\r", b"\t"]))
_LITERALS = {b"n": (b"null", None), b"t": (b"true", True), b"f": (b"false", False)}
_NO_VALUE = (b"", b"\0", b"]", b"}", b",", b":")
_OPEN = object()  # an object or array has begun


class Members(dict):
    """An object in which a name occurs twice: the first value by name, and all of them in order."""

    def __init__(self, pairs: list[tuple[str, Any]]):
        super().__init__(reversed(pairs))
        self.pairs = pairs


def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Makes the dict of an object; of equal names the first counts."""
    members = dict(pairs)
    return members if len(members) == len(pairs) else Members(pairs)


def members(value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Lists names and values of an object, a name that occurs twice as often as it does."""
    return value.pairs if isinstance(value, Members) else value.items()


def byte_order_mark(body: bytes) -> int:
    """Counts the bytes before the document that are skipped: a mark of UTF-8, or part of one."""
    count = 0
    for mark in b"\xef\xbb\xbf":
        count += body[count : count + 1] == bytes([mark])
    return count


def parse(body: bytes) -> Any:
    """Parses the first value of a body; a StatusError has RapidJSON's message and offset."""
    reader = _Reader(body)
    if reader.peek() in _NO_VALUE:
        reader.fail("The document is empty.")
    stack: list[Any] = []  # what is open: lists, and [pairs, name of the next] for objects
    while True:
        value = reader.value(stack)
        while value is not _OPEN and stack:
            value = reader.add(stack, value)
        if value is not _OPEN:
            return value


class _Reader:
    """A position in a body."""

    def __init__(self, body: bytes):
        self.body = body
        self.at = byte_order_mark(body)
        self.space()

    def peek(self) -> bytes:
        return self.body[self.at : self.at + 1]

    def take(self, char: bytes) -> bool:
        found = self.peek() == char
        self.at += found
        return found

    def space(self) -> None:
        self.at = _SPACE.match(self.body, self.at).end()  # type: ignore[union-attr]

    def fail(self, message: str, offset: int | None = None) -> NoReturn:
        offset = self.at if offset is None else offset
        raise invalid_argument(f"JSON Parse error: {message} at offset: {offset}")

    def value(self, stack: list[Any]) -> Any:
        """Reads a value, or opens one on the stack."""
        if self.take(b"["):
            self.space()
            if self.take(b"]"):
                return []
            stack.append([])
            return _OPEN
        if self.take(b"{"):
            self.space()
            if self.take(b"}"):
                return {}
            stack.append(([], [self.name()]))
            return _OPEN
        char = self.peek()
        if char == b'"':
            return self.string()
        return self.literal(*_LITERALS[char]) if char in _LITERALS else self.number()

    def add(self, stack: list[Any], value: Any) -> Any:
        """Adds a complete value to what is open; returns that one when it is complete."""
        top = stack[-1]
        if isinstance(top, list):
            top.append(value)
        else:
            top[0].append((top[1].pop(), value))
        self.space()
        if self.take(b","):
            self.space()
            if not isinstance(top, list):
                top[1].append(self.name())
            return _OPEN
        if isinstance(top, list):
            if not self.take(b"]"):
                self.fail("Missing a comma or ']' after an array element.")
            return stack.pop()
        if not self.take(b"}"):
            self.fail("Missing a comma or '}' after an object member.")
        return make_object(stack.pop()[0])

    def name(self) -> str:
        if self.peek() != b'"':
            self.fail("Missing a name for object member.")
        name = self.string()
        self.space()
        if not self.take(b":"):
            self.fail("Missing a colon after a name of object member.")
        self.space()
        return name

    def literal(self, text: bytes, value: Any) -> Any:
        for char in text:
            if not self.take(bytes([char])):
                self.fail("Invalid value.")
        return value

    def string(self) -> str:
        """Reads a string; bytes that are not UTF-8 become surrogates, as `surrogateescape` does."""
        self.at += 1
        parts = []
        while True:
            plain = _PLAIN.match(self.body, self.at)
            parts.append(plain.group())  # type: ignore[union-attr]
            self.at = plain.end()  # type: ignore[union-attr]
            if self.take(b'"'):
                return b"".join(parts).decode(errors="surrogateescape")
            if self.peek() == b"\\":
                parts.append(self.escape())
            elif self.peek() in (b"", b"\0"):
                self.fail("Missing a closing quotation mark in string.")
            else:
                self.fail("Invalid escape character in string.")

    def escape(self) -> bytes:
        start = self.at
        self.at += 2
        kind = self.body[start + 1 : start + 2]
        if kind == b"u":
            code = self.hexadecimal(start)
            if 0xD800 <= code <= 0xDBFF:
                low = self.hexadecimal(start) if self.take(b"\\") and self.take(b"u") else 0
                if not 0xDC00 <= low <= 0xDFFF:
                    self.fail("The surrogate pair in string is invalid.", start)
                code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
            return chr(code).encode(errors="surrogatepass")
        if not kind or kind[0] not in _ESCAPES:
            self.fail("Invalid escape character in string.", start)
        return _ESCAPES[kind[0]]

    def hexadecimal(self, start: int) -> int:
        match = _HEX.match(self.body, self.at)
        if match is None:
            self.fail("Incorrect hex digit after \\u escape in string.", start)
        self.at += 4
        return int(match.group(), 16)

    def number(self) -> int | float:
        start = self.at
        minus = self.take(b"-")
        match = _WHOLE.match(self.body, self.at)
        constant = None if match else self.constant()
        # RapidJSON reads on after Inf and NaN: a fraction or an exponent makes them zeros.
        whole = match.group() if match else b"0"
        self.at += len(match.group()) if match else 0
        if len(whole) > 308 and _overflows(whole):
            self.fail("Number too big to be stored in double.", start)
        fraction, exponent = self.decimals()
        if not fraction and not exponent:
            if constant is not None:
                return -constant if minus else constant
            if len(whole) <= 20 and int(whole) <= _largest(minus):
                return -int(whole) if minus else int(whole)
        if len(exponent) > 2 and not exponent.startswith(b"-"):
            limit = 308 + _counted_digits(whole, fraction, _largest(minus))
            if len(exponent.lstrip(b"+0")) > 4 or int(exponent) > limit:
                self.fail("Number too big to be stored in double.", start)
        number = float(whole + b"." + (fraction or b"0") + b"e" + (exponent or b"0"))
        return -number if minus else number

    def constant(self) -> float:
        if self.take(b"N") and self.take(b"a") and self.take(b"N"):
            return float("nan")
        if self.take(b"I") and self.take(b"n") and self.take(b"f"):
            if self.peek() == b"i":
                self.literal(b"inity", None)
            return float("inf")
        self.fail("Invalid value.")

    def decimals(self) -> tuple[bytes, bytes]:
        """Reads fraction and exponent, each empty if there is none."""
        match = _DECIMALS.match(self.body, self.at)
        fraction, exponent = match.groups(b"")  # type: ignore[union-attr]
        self.at = match.end()  # type: ignore[union-attr]
        if not fraction and not exponent and self.take(b"."):
            self.fail("Miss fraction part in number.")
        if not exponent and (letter := _EXPONENT_SIGN.match(self.body, self.at)):
            self.at = letter.end()
            self.fail("Miss exponent in number.")
        return fraction, exponent


def _largest(minus: bool) -> int:
    """Gives the largest whole number that is not a double, without its sign."""
    return 2**63 if minus else 2**64 - 1


def _overflows(whole: bytes) -> bool:
    number = float(whole[:19])
    for digit in whole[19:]:
        if number >= 1.7976931348623157e307:
            return True
        number = number * 10 + (digit - 48)
    return False


def _counted_digits(whole: bytes, fraction: bytes, largest: int) -> int:
    """Counts the decimals that a number's significand takes up, which allow a larger exponent."""
    if len(whole) > 20 or int(whole) > largest:
        return 0
    number, significant, counted = int(whole), len(whole) - 1, 0
    for digit in fraction:
        if number > 2**53 - 1 and significant >= 17:
            break
        number = number * 10 + digit - 48
        counted += 1
        significant += number > 0
    return counted
