"""`fewshot run` on wrong data: one sentence that names the file, exit status 2, nothing has run."""

import wave

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from pipeline.cli import main

ROWS = [f"request {n} of kind {n % 6},kind {n % 6}" for n in range(24)]
EPISODES = {"ways": 2, "shots": 1, "queries": 2}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(**data):
    with open("mine.yaml", "w") as file:
        yaml.safe_dump({"data": data, "episodes": EPISODES}, file)
    arguments = ["run", "--config", "mine.yaml", "--output-dir", "out"]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def is_one_sentence(result, *parts: str) -> bool:
    (line,) = [line for line in result.output.splitlines() if line.strip()]
    return result.exit_code == 2 and line.startswith("error: ") and all(p in line for p in parts)


@pytest.mark.parametrize(
    ("header", "row", "parts"),
    [
        ("text,label", ",kind 1", ["row 25 has no 'text'", "`data.unreadable`"]),
        ("text,label", "hello,", ["row 25 has no 'label'"]),
        ("text,kind", "well, hello,kind 1", ["line 26 has 3 values, and the header has 2"]),
    ],
)
def test_a_table_that_lacks_something(folder, header, row, parts):
    (folder / "requests.csv").write_text("\n".join([header, *ROWS, row, ""]))
    assert is_one_sentence(run(source="table", path="requests.csv"), "requests.csv", *parts)


def test_a_table_that_is_not_there(folder):
    assert is_one_sentence(run(source="table", path="requests.csv"), "'requests.csv'")


@pytest.mark.parametrize(
    ("form", "seconds", "reason"),
    [
        ((1, 2, 8_000), 0, "0 seconds"),
        ((2, 2, 44_100), 1, "44100 samples a second"),
        ((2, 2, 8_000), 1, "2 channel(s)"),
    ],
)
def test_a_recording_that_does_not_fit(folder, form, seconds, reason):
    for word in range(6):
        (folder / f"words/word_{word}").mkdir(parents=True)
        for number in range(4):
            write(folder / f"words/word_{word}/{number}.wav", (1, 2, 8_000), 0.2)
    write(folder / "words/word_3/odd.wav", form, seconds)
    result = run(source="folder", path="words", sample_rate=8_000)
    assert is_one_sentence(result, "words/word_3/odd.wav", reason)


def write(path, form: tuple[int, int, int], seconds: float) -> None:
    channels, width, rate = form
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        samples = 8_000 * np.sin(0.3 * np.arange(int(seconds * rate)))
        file.writeframes(np.repeat(samples.astype("<i2"), channels).tobytes())
