"""Tables of texts: what is read, and each mistake in one sentence."""

import json

import pytest

from components.episode_gen import targets
from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeOptions
from components.episode_gen.sources import open_source
from serving.errors import UserError

ROWS = [("play some music", "play"), ("a song, please", "play"), ("stop", "halt"), ("end", "halt")]
SMALL = EpisodeOptions(ways=2, shots=1, queries=1)


def write(tmp_path, suffix: str, rows=ROWS, columns=("text", "label")):
    path = tmp_path / f"requests{suffix}"
    if suffix == ".jsonl":
        lines = [json.dumps(dict(zip(columns, row))) for row in rows]
    else:
        separator = {".csv": ",", ".tsv": "\t"}[suffix]
        lines = [separator.join(columns)]
        lines += [separator.join(f'"{value}"' for value in row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig" if suffix == ".csv" else "utf-8")
    return path


def table(path, **options) -> DataOptions:
    return DataOptions(source="table", path=str(path), **options)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_every_kind_of_file_holds_the_same_examples(tmp_path, suffix):
    source = open_source(table(write(tmp_path, suffix)))
    entries = list(source.catalogue())
    assert [entry.class_name for entry in entries] == ["play", "play", "halt", "halt"]
    stored = {s.example_id: s.content for part in source.parts() for s in source.read(part)}
    assert stored == {
        entry.example_id: text.encode() for entry, (text, _) in zip(entries, ROWS, strict=True)
    }


def test_columns_by_name_and_groups(tmp_path):
    rows = [("hi", "greet", "talk"), ("bye", "leave", "talk"), ("pay", "bill", "money")]
    path = write(tmp_path, ".csv", rows, ("said", "meant", "area"))
    data = table(path, input_feature="said", label_feature="meant", group_feature="area")
    entries = list(open_source(data).catalogue())
    assert [(e.class_name, e.group) for e in entries] == [
        ("greet", "talk"),
        ("leave", "talk"),
        ("bill", "money"),
    ]


def test_a_table_makes_episodes(tmp_path):
    rows = [(f"text {i}", f"class {i % 12}") for i in range(48)]
    checked = check_data(table(write(tmp_path, ".tsv", rows)), SMALL)
    assert checked.spec.modality == "text" and len(checked.splits["test"]) == 2


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (
            ("words", "label"),
            {"input_feature": "text"},
            r"`data\.input_feature` .*\(words, label\)",
        ),
        (("text", "label"), {"input_feature": "body"}, r"`data\.input_feature` .* got 'body'"),
        (("text", "label"), {"split_by": "group"}, r"`data\.group_feature` .* got none"),
    ],
)
def test_a_column_that_is_not_there(tmp_path, columns, options, message):
    source = open_source(table(write(tmp_path, ".csv", columns=columns), **options))
    with pytest.raises(UserError, match=message):
        list(source.catalogue())


@pytest.mark.parametrize(
    "rows", [[("hi", "a"), ("  ", "a")], [("hi", "a"), ("?!", "a")], [("hi", "a"), ("hello", "")]]
)
def test_a_row_without_text_or_class_is_named(tmp_path, rows):
    with pytest.raises(UserError, match=r"row 2 has no ('text'|'label'|letter or digit in 'text')"):
        list(open_source(table(write(tmp_path, ".csv", rows))).catalogue())


def test_rows_that_lack_a_value_can_be_skipped(tmp_path):
    rows = [("hi", "a"), (" ", "a"), ("hello", "")]
    source = open_source(table(write(tmp_path, ".csv", rows), unreadable="skip"))
    assert [entry.example_id for entry in source.catalogue()] == ["requests.csv:1"]
    assert source.skipped == {
        "requests.csv:2": "row 2 has no 'text'",
        "requests.csv:3": "row 3 has no 'label'",
    }


def test_empty_lines_are_no_rows(tmp_path):
    path = write(tmp_path, ".jsonl")
    path.write_text(path.read_text().replace("\n", "\n\n"))
    assert len(list(open_source(table(path)).catalogue())) == len(ROWS)


def test_a_table_without_rows(tmp_path):
    with pytest.raises(UserError, match=r"`data\.path` must hold rows .* requests\.csv holds none"):
        list(open_source(table(write(tmp_path, ".csv", []))).catalogue())


@pytest.mark.parametrize("content", [b"text,label\n\xff\xfe,a\n", b'text,label\n"a" b,c\n'])
def test_a_file_that_is_no_table_in_utf8(tmp_path, content):
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    with pytest.raises(
        UserError, match=r"broken\.csv' cannot: (it is not in UTF-8|line 2: after a closing quote)"
    ):
        list(open_source(table(path)).catalogue())


def test_a_line_that_is_no_json(tmp_path):
    path = tmp_path / "broken.jsonl"
    path.write_text('{"text": "hi", "label": "a"}\n["hi"]\n')
    with pytest.raises(UserError, match="line 2"):
        list(open_source(table(path)).catalogue())


@pytest.mark.parametrize("name", ["nowhere.csv", "requests.xlsx"])
def test_a_file_that_is_not_there_or_of_another_kind(tmp_path, name):
    (tmp_path / "requests.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"`data\.path` must be an existing \.csv"):
        open_source(table(tmp_path / name))


def test_a_change_of_the_file_changes_the_fingerprint(tmp_path):
    before = open_source(table(write(tmp_path, ".csv"))).fingerprint()
    after = open_source(table(write(tmp_path, ".csv", [*ROWS, ("more", "play")]))).fingerprint()
    assert before != after


PAIRS = [
    ("ein Haus", "de", "a house"),
    ("das Haus", "de", "a house"),
    ("guten Tag", "de", "good day"),
    ("une maison", "fr", "a house"),
    ("bonjour", "fr", "good day"),
]


def test_texts_with_phrases(tmp_path):
    path = write(tmp_path, ".tsv", PAIRS, columns=("text", "language", "english"))
    options = {"label_feature": "language", "phrase_feature": "english"}
    checked = check_data(table(path, split_fractions=(0.5, 0.0, 0.5), **options), None)
    assert checked.spec.phrases and not checked.spec.has_classes
    # The second of two rows of a language with one phrase is left out: it would hold the answer.
    assert {name: len(ids) for name, ids in checked.catalogue.examples.items()} == {
        "de": 2,
        "fr": 2,
    }
    stored = [s.content for part in checked.source.parts() for s in checked.source.read(part)]
    text, phrase = targets.split(stored[2], checked.spec)
    assert (text, phrase.item()) == (b"guten Tag", b"good day")


def test_a_column_of_phrases_that_is_not_there(tmp_path):
    path = write(tmp_path, ".tsv", PAIRS, columns=("text", "language", "english"))
    with pytest.raises(UserError, match=r"`data.phrase_feature` must name a column .*got 'englsh'"):
        check_data(table(path, phrase_feature="englsh", label_feature="language"), None)
    with pytest.raises(ValueError, match=r"only when `data.source` is table: got glyphs"):
        DataOptions(phrase_feature="english")
    with pytest.raises(UserError, match=r"`episodes.ways` must be 1 .*phrase_feature.*got 2"):
        check_data(table(path, phrase_feature="english", label_feature="language"), SMALL)
