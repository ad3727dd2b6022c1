"""The table of pairs that the phrasebook's configurations read."""

import sys

import pytest

from benchmarks.phrasebook import pairs
from serving.errors import UserError
from serving.files.tables import read_table


def write(folder, language: str, texts: str, phrases: str) -> None:
    (folder / f"tatoeba.{language}-eng.{language}").write_text(texts)
    (folder / f"tatoeba.{language}-eng.eng").write_text(phrases)


def test_the_table_holds_the_pairs_of_all_languages(tmp_path, monkeypatch):
    write(tmp_path, "nld", 'Dag.\n"Kom," zei hij.\n', 'Hello.\n"Come," he said.\n')
    write(tmp_path, "afr", "Hallo.\n", "Hello.\n")
    output = tmp_path / "pairs.tsv"
    monkeypatch.setattr(sys, "argv", ["pairs", str(tmp_path), "--output", str(output)])
    pairs.main()
    rows = [tuple(row.values.values()) for row in read_table(output).rows]
    assert rows == [
        ("afr", "Hallo.", "Hello."),
        ("nld", "Dag.", "Hello."),
        ("nld", '"Kom," zei hij.', '"Come," he said.'),
    ]


def test_files_that_differ_in_length_are_named(tmp_path):
    with pytest.raises(UserError, match=r"must hold files such as tatoeba\.nld"):
        pairs.read_pairs(tmp_path)
    write(tmp_path, "nld", "Dag.\n", "Hello.\nCome.\n")
    with pytest.raises(UserError, match=r"tatoeba\.nld-eng\.eng has 3, the other 2"):
        pairs.read_pairs(tmp_path)
