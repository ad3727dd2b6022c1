"""The same file means the same through every door: `inspect`, `run`, `query` and the client."""

import contextlib
import json
import os
import struct

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from components.episode_gen.check import check_data
from components.episode_gen.inspection import inspect
from components.episode_gen.options import DataOptions, EpisodeOptions
from components.episode_gen.sources import open_source
from components.modalities.image import standardise
from pipeline.cli import main
from serving.client.files import read_queries, read_support
from serving.errors import UserError
from serving.files.encoding import encode_example
from serving.files.pictures import decode
from serving.files.recordings import Wanted
from serving.files.recordings import decode as decode_recording
from serving.files.wav import to_wav
from tests.picture_cases import png_cases, saved_cases

TEXTS = [(f"say {n}, please: {'x' * (n % 5)} ☃", f"{n % 6}.0") for n in range(24)]


def csv(delimiter=",", end="\n", header=("text", "label"), quote=True) -> str:
    rows = [header, *TEXTS]
    if quote:
        rows = [tuple(f'"{value}"' for value in row) for row in rows]
    return "".join(delimiter.join(row) + end for row in rows)


def lines(**options) -> str:
    return "\n".join(json.dumps({"text": t, "label": name}, **options) for t, name in TEXTS)


TABLES = {
    "plain.csv": csv().encode(),
    "PLAIN.CSV": csv().encode(),
    "bom.csv": csv().encode("utf-8-sig"),
    "utf16.tsv": csv("\t").encode("utf-16"),
    "semicolon.csv": csv(";", "\r\n", quote=False).encode(),
    "bar.tsv": csv("|", "\r", quote=False).encode(),
    "names.csv": csv(header=("Message", "Category")).encode(),
    "other.csv": csv(header=("words", "kind")).encode(),
    "lines.jsonl": lines().encode(),
    "lines.json": lines(ensure_ascii=False).encode(),
    "list.json": json.dumps([{"label": name, "text": t} for t, name in TEXTS]).encode(),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(TABLES[name])
    inspection = inspect(path)
    assert inspection.class_sizes == {f"{n}.0": 4 for n in range(6)} and not inspection.unreadable
    source = open_source(DataOptions(**inspection.data))
    labels = {entry.example_id: entry.class_name for entry in source.catalogue()}
    (part,) = source.parts()
    trained = [(one.content.decode(), labels[one.example_id]) for one in source.read(part)]
    queried = [(t, label) for label, texts in read_support(path).examples.items() for t in texts]
    assert trained == TEXTS and sorted(queried) == sorted(TEXTS)
    assert [encode_example(text, "text").decode() for text, _ in queried] == [t for t, _ in queried]


def test_folders_of_pictures(tmp_path):
    """What a query sends is, decoded, what the source stores."""
    cases = {name: content for name, content in [*png_cases(), *saved_cases()]}
    for number, (name, content) in enumerate(cases.items()):
        folder = tmp_path / f"class [{number % 6}]"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.png").write_bytes(content)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "1.png").write_bytes(content)
    inspection = inspect(tmp_path)
    options = inspection.data | {"image_size": 16, "image_channels": 3}
    source = open_source(DataOptions(**options))
    stored = {one.example_id: one.content for part in source.parts() for one in source.read(part)}
    listed = {entry.example_id: entry.class_name for entry in source.catalogue()}
    assert set(inspection.class_sizes) == set(listed.values())
    for name, reason in inspection.unreadable.items():
        with pytest.raises(UserError, match=r"16 bits a channel and one transparent"):
            encode_example(tmp_path / name, "image")
        assert "16 bits" in reason
        (tmp_path / name).unlink()
    support = read_support(tmp_path)
    assert set(support.examples) == set(inspection.class_sizes)
    for label, files in support.examples.items():
        for file in files:
            example_id = str(file.relative_to(tmp_path))
            picture = decode(encode_example(file, "image"))
            sent = standardise(picture, size=16, channels=3).numpy()
            assert sent.tobytes() == stored[example_id], example_id
            assert listed.get(example_id, label) == label


def test_folders_of_recordings(tmp_path):
    tone = np.sin(np.arange(800) / 5).astype(np.float32) / 2
    for word in range(6):
        (tmp_path / f"w{word}").mkdir()
        plain = to_wav(tone * (1 + word) / 8, 8_000)
        (tmp_path / f"w{word}" / "plain.wav").write_bytes(plain)
        pipe = plain[:4] + b"\xff" * 4 + plain[8:40] + struct.pack("<L", 0xFFFFFFFF) + plain[44:]
        (tmp_path / f"w{word}" / "pipe.WAV").write_bytes(pipe + bytes(2 * word + 2))
        header = struct.pack("<HHLLHH", 3, 1, 8_000, 32_000, 4, 32)
        data = (tone[: 700 + word]).tobytes()
        chunks = b"fmt \x10\0\0\0" + header + b"data" + struct.pack("<L", len(data)) + data
        real = b"RIFF" + struct.pack("<L", 4 + len(chunks)) + b"WAVE" + chunks
        (tmp_path / f"w{word}" / "real.wav").write_bytes(real)
    inspection = inspect(tmp_path)
    assert inspection.class_sizes == {f"w{word}": 3 for word in range(6)}
    source = open_source(DataOptions(**inspection.data))
    stored = {one.example_id: one.content for part in source.parts() for one in source.read(part)}
    for files in read_support(tmp_path).examples.values():
        for file in files:
            sent = decode_recording(encode_example(file, "audio"), Wanted(8_000))
            trained = np.frombuffer(stored[str(file.relative_to(tmp_path))], np.float32)
            assert np.abs(sent - trained).max() < 1 / 32_768, file


def random_folder(root, rng: np.random.Generator) -> None:
    """Classes of pictures, texts and tables, of odd names, some damaged."""
    for _ in range(rng.integers(1, 9)):
        parts = ["a", "[x]", ":b:", ".c", "train", "test", "-d", "e\nf", "\udce9"]
        folder = root.joinpath(*rng.choice(parts, rng.integers(1, 4)))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        for number in range(rng.integers(0, 5)):
            path = folder / f"{number}{rng.choice(['.png', '.PGM', '.csv', '.wav', ''])}"
            if os.path.lexists(path):
                continue
            if rng.integers(0, 4):
                pixels = rng.integers(0, 256, (5, 5), np.uint8)
                Image.fromarray(pixels).save(path, "PNG")
            elif rng.integers(0, 2):
                path.write_bytes(rng.bytes(20))
            else:
                os.symlink("nowhere", path)


def test_no_folder_or_table_ends_in_a_trace(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.chdir(tmp_path)
    pieces = ["text", "label", ",", ";", "\n", '"', "a", "b c", "é", "[/x]", "{", "}", "1"]
    for number in range(150):
        root = tmp_path / f"data {number} [*]"
        root.mkdir()
        random_folder(root, rng)
        table = tmp_path / f"{number}.{rng.choice(['csv', 'tsv', 'json', 'jsonl'])}"
        table.write_text("".join(rng.choice(pieces, int(rng.integers(0, 80)))))
        for path in (root, table):
            kind = "folder" if path.is_dir() else "table"
            for unreadable in ("refuse", "skip"):
                data = DataOptions(source=kind, path=str(path), unreadable=unreadable)
                with contextlib.suppress(UserError):
                    check_data(data, EpisodeOptions(ways=1, shots=1, queries=1))
            with contextlib.suppress(UserError):
                support = read_support(path)
                read_queries((str(path), "hello"), support.kind)
                modality = support.kind.modality if support.kind else "text"
                for one in (one for examples in support.examples.values() for one in examples):
                    encode_example(one, modality)
            for command in (["data", "inspect"], ["init"]):
                result = CliRunner().invoke(main, [*command, str(path)])
                assert result.exit_code in (0, 2), (command, path, result.exception)
                assert result.exception is None or isinstance(result.exception, SystemExit)
