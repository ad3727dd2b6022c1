"""Thousands of damaged and made-up files: the only exceptions are the two that hold a sentence."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from serving.errors import UserError
from serving.files import pictures, recordings
from serving.files.columns import choose_columns, examples
from serving.files.folders import choose, list_files
from serving.files.picture_header import SUFFIXES, graph_can_read, read_header
from serving.files.recordings import Wanted
from serving.files.tables import read_table
from serving.files.unreadable import UnreadableFile
from serving.files.wav import to_wav

ROUNDS = 700
"""Inputs of each kind; all together take some ten seconds."""


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """The file cut, with bytes changed, a part doubled or a part lost."""
    octets = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        start, end = sorted(rng.integers(0, len(octets) + 1, 2).tolist())
        near = int(rng.integers(0, min(len(octets), 200) + 1))
        match rng.integers(0, 5):
            case 0:
                octets = octets[:end]
            case 1:
                octets[start : min(end, start + 8)] = rng.bytes(min(end - start, 8))
            case 2:
                octets[near : near + 2] = rng.bytes(2)
            case 3:
                octets[near:near] = octets[start : min(end, start + 40)]
            case 4:
                del octets[start : min(end, start + 40)]
    return bytes(octets)


def picture(form: str, rng: np.random.Generator) -> bytes:
    file = io.BytesIO()
    mode = "RGB" if form in ("JPEG", "WEBP", "PPM") else str(rng.choice(["RGB", "L", "1"]))
    pixels = rng.integers(0, 256, (12, 9, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP", "TIFF"])
def test_pictures(form):
    rng = np.random.default_rng(1)
    for number in range(ROUNDS):
        content = damage(picture(form, rng), rng)
        try:
            graph_can_read(read_header(content))
            pixels = pictures.decode(content, max_pixels=1_000_000)
        except UnreadableFile as reason:
            assert is_half_a_sentence(str(reason)), (number, str(reason))
        else:
            assert pixels.dtype == np.uint8 and pixels.shape[2:] == (3,)


def test_headers_of_noise():
    rng = np.random.default_rng(2)
    starts = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF89a", b"P5 ", b"II*\0", b"MM\0*")
    for _ in range(ROUNDS):
        for start in (*starts, b"RIFF\0\0\0\0WEBP"):
            try:
                read_header(start + rng.bytes(int(rng.integers(0, 300))))
            except UnreadableFile as reason:
                assert is_half_a_sentence(str(reason))


def test_recordings():
    rng = np.random.default_rng(3)
    whole = to_wav(np.sin(np.arange(100) / 5).astype(np.float32), 8_000)
    for _ in range(4 * ROUNDS):
        content = damage(whole, rng)
        try:
            samples = recordings.decode(content, Wanted(8_000, 10.0, resample=True, downmix=True))
        except UnreadableFile as reason:
            assert is_half_a_sentence(str(reason)), reason
        else:
            assert np.isfinite(samples).all() and samples.ndim == 1


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json"])
def test_tables(tmp_path, suffix):
    rng = np.random.default_rng(4)
    path = tmp_path / f"table{suffix}"
    pieces = [
        '"',
        ",",
        ";",
        "\t",
        "|",
        "\n",
        "\r",
        "a",
        "text",
        "é",
        "😀",
        "\0",
        '""',
        "[",
        "{",
        "}",
    ]
    rows = [{"text": f"hello {n}, you", "label": f"c{n % 3}", "n": n / 2} for n in range(9)]
    plain = {
        ".json": json.dumps(rows),
        ".jsonl": "\n".join(map(json.dumps, rows)),
    }.get(suffix, "text,label\n" + "".join(f'"{r["text"]}",{r["label"]}\r\n' for r in rows))
    for number in range(ROUNDS):
        if number % 2:
            content = damage(plain.encode(), rng)
        else:
            content = "".join(rng.choice(pieces, int(rng.integers(0, 60)))).encode()
        path.write_bytes(content)
        try:
            table = read_table(path)
            usable, left_out = examples(table, choose_columns(table, support=bool(number % 4)))
        except UserError as error:
            error.args[0].encode()
            assert "\n" not in str(error) or "\n" in content.decode(errors="ignore")
        else:
            assert len(usable) + len(left_out) == len(table.rows)
            for row in usable:
                assert row.text.encode() and row.label.encode()


def test_folders(tmp_path):
    rng = np.random.default_rng(5)
    parts = [
        b"a",
        b"b c",
        b".x",
        b"[*]",
        b"-r",
        b"\xe9",
        b"\n",
        "é".encode(),
        b"__MACOSX",
        b"train",
    ]
    endings = [b".png", b".PNG", b".txt", b"", b".tif"]
    for number in range(60):
        root = tmp_path / str(number)
        root.mkdir()
        for _ in range(rng.integers(0, 12)):
            names = [bytes(rng.choice(parts)) for _ in range(rng.integers(1, 5))]
            path = os.path.join(os.fsencode(root), *names) + bytes(rng.choice(endings))
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                match rng.integers(0, 4):
                    case 0:
                        os.symlink(os.path.dirname(path), path)
                    case 1:
                        os.symlink(b"nowhere", path)
                    case _:
                        open(path, "wb").close()
            except OSError:
                continue  # a file is where a folder should be
        found = choose(list_files(root), SUFFIXES, kind="pictures")
        json.dumps([found.files, found.left_out()]).encode()


def is_half_a_sentence(text: str) -> bool:
    text.encode()
    return bool(text) and "\n" not in text and len(text) < 300 and not text.endswith(".")
