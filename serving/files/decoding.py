"""From the bytes of a text file to its text: byte order marks, UTF-8, UTF-16, or as asked for."""

import codecs

from serving.files.unreadable import UnreadableFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as the mark of UTF-16 does, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


_OTHERS = {
    b"PK\x03\x04": "a zip file, as those of spreadsheets are (save it as csv)",
    b"\x1f\x8b": "a gzip file (unpack it)",
    b"\xd0\xcf\x11\xe0": "a file of an office program (save it as csv)",
    b"%PDF": "a PDF file",
    b"PAR1": "a Parquet file (save it as csv or jsonl)",
    b"ARROW1": "an Arrow file (save it as csv or jsonl)",
    b"SQLite format 3": "a data base (save its table as csv)",
    b"version https://git-lfs": "a Git LFS pointer (`git lfs pull` gets the file)",
    b"BZh": "a bzip2 file (unpack it)",
    b"\xfd7zXZ": "an xz file (unpack it)",
    b"\x28\xb5\x2f\xfd": "a Zstandard file (unpack it)",
    b"7z\xbc\xaf": "a 7z file (unpack it)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


def decode_text(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file, without a byte order mark, and its encoding.

    `encoding` is as Python names it ("cp1252"); None for what the mark says, else UTF-8. Latin-1
    and its like accept any bytes, and so are used only where asked for.

    Raises:
      UnreadableFile: it is not in that encoding; the reason names the first wrong byte.
    """
    for start, what in _OTHERS.items():
        if content.startswith(start):
            raise UnreadableFile(f"it is {what}, no text")
    mark, marked = next((pair for pair in _MARKS if content.startswith(pair[0])), (b"", "utf-8"))
    used = encoding or marked
    try:
        used = codecs.lookup(used).name
        text = content[len(mark) :].decode(used).lstrip("\ufeff")  # some write the mark twice
    except LookupError:
        raise UnreadableFile(f"{encoding!r} is no text encoding; one is cp1252") from None
    except UnicodeDecodeError as error:
        raise UnreadableFile(_reason(content, len(mark) + error.start, used)) from None
    except ValueError as error:  # codecs that are for something else ("idna", "undefined")
        raise UnreadableFile(f"it is not in {used} ({error})") from None
    if not isinstance(text, str):
        raise UnreadableFile(f"{encoding!r} is no text encoding; one is cp1252")
    if "\0" in text:
        raise UnreadableFile(
            "it holds zero bytes, as UTF-16 does: save it as UTF-8, or with a byte order mark"
        )
    return text, used


def _reason(content: bytes, place: int, encoding: str) -> str:
    before = content[:place]
    line = before.count(b"\n") + 1 if b"\n" in before else before.count(b"\r") + 1
    return (
        f"it is not in {encoding.upper()}: byte 0x{content[place]:02x} in line {line} "
        f"(byte {place + 1} of the file); save it as UTF-8, or give its encoding "
        "(`--encoding`, `data.encoding`), as cp1252"
    )
