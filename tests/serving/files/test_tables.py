"""Tables: what stands in the file is what is read, or the line is named."""

import json

import pytest

from serving.errors import UserError
from serving.files.columns import Columns, choose_columns, choose_text, examples
from serving.files.tables import is_table, read_table

ROWS = [("play a song", "music"), ("stop it", "halt"), ("go on", "go"), ("end", "halt")]
CSV = "text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS)


@pytest.fixture
def read(tmp_path):
    def write_and_read(content: str | bytes, name="x.csv", **options):
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(content)
        return read_table(tmp_path / name, **options)

    return write_and_read


def pairs(table) -> list[tuple[str, str]]:
    usable, left_out = examples(table, choose_columns(table, support=True))
    assert not left_out
    return [(row.text, row.label) for row in usable]


@pytest.mark.parametrize("name", ["x.csv", "x.CSV", "x.tsv", "x.Tsv"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end(read, name, delimiter, end):
    table = read(CSV.replace(",", delimiter).replace("\n", end), name)
    assert pairs(table) == ROWS
    names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
    assert table.facts()["delimiter"] == names[delimiter]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.json"])
def test_every_encoding_that_says_what_it_is(read, encoding, name):
    rows = [{"text": "Grüße ☃", "label": "gruß"}, {"text": "an apple", "label": "Äpfel"}]
    content = {
        "x.csv": "text,label\nGrüße ☃,gruß\nan apple,Äpfel\n",
        "x.jsonl": "\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
        "x.json": json.dumps(rows, ensure_ascii=False, indent=1),
    }[name]
    assert pairs(read(content.encode(encoding), name)) == [tuple(row.values()) for row in rows]


def test_another_encoding_is_named_and_read_when_asked_for(read):
    content = "text,label\nhello,a\ncafé,b\n".encode("cp1252")
    with pytest.raises(UserError, match=r"not in UTF-8: byte 0xe9 in line 3 \(byte 23 of the file"):
        read(content)
    assert pairs(read(content, encoding="cp1252")) == [("hello", "a"), ("café", "b")]
    with pytest.raises(UserError, match="'latin-17' is no text encoding"):
        read(content, encoding="latin-17")
    with pytest.raises(UserError, match="zero bytes, as UTF-16 does"):
        read("text,label\na,b\n".encode("utf-16-le"))


def test_quoted_delimiters_line_ends_and_quotes_are_part_of_the_value(read):
    table = read('text,label\n"a, ""b""\nc",x\nd,"y,z"\n')
    assert pairs(table) == [('a, "b"\nc', "x"), ("d", "y,z")]
    assert [row.line for row in table.rows] == [2, 4]


def test_quotes_of_a_file_with_tabs_may_be_ordinary_characters(read):
    plain = 'text\tlabel\n"Come in," he said.\ta\nGo.\tb\n'
    assert pairs(read(plain, "x.tsv")) == [('"Come in," he said.', "a"), ("Go.", "b")]
    assert pairs(read('text\tlabel\n"a\tb"\tc\n', "x.tsv")) == [("a\tb", "c")]
    with pytest.raises(UserError, match="line 2: after a closing quote there must be a tab"):
        read(plain.replace("Go.\tb", "Go."), "x.tsv")  # a row of another width


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('text,label\na,b\n"c,d\ne,f\n', "line 3: a quote opens there and does not close"),
        ('text,label\n"a" b,c\n', "line 2: after a closing quote there must be a comma"),
        ("", "empty"),
        ("PK\x03\x04 and more", "a zip file, as those of spreadsheets"),
        ("\n\n", "it has no rows"),
        ("text,text\na,b\n", "'text' twice"),
    ],
)
def test_a_table_that_cannot_be_read(read, content, message):
    with pytest.raises(UserError, match=message):
        read(content)


def test_a_row_of_another_width_is_named_and_not_bent(read):
    table = read("text,label\nyes, please,a\nno,b\nshort\n\nmaybe,a\n")
    usable, left_out = examples(table, Columns("text", "label"))
    assert [row.text for row in usable] == ["no", "maybe"]
    assert left_out[1].startswith("line 2 has 3 values, and the header has 2 (a comma or a quote")
    assert left_out[3].startswith("line 4 has 1 values")


def test_numbers_stay_what_stands_there(read):
    table = read('{"text": 1.50, "label": 3}\n{"text": "a", "label": 3.0}\n', "x.jsonl")
    assert pairs(table) == [("1.50", "3"), ("a", "3.0")]
    table = read('[{"text": "a", "label": true}, {"text": "b", "label": 1e3}]', "x.json")
    assert pairs(table) == [("a", "true"), ("b", "1e3")]
    assert pairs(read("text,label\na,03\nb,3.0\n")) == [("a", "03"), ("b", "3.0")]


def test_json_with_a_line_for_each_object_is_read_whatever_its_ending(read):
    lines = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in ROWS)
    assert pairs(read(lines, "x.json")) == pairs(read(lines, "x.jsonl")) == ROWS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.json", '{"a": [1]}\n{', "must hold a list of objects"),
        ("x.json", '{\n"text": ["a"]}', "must hold a list of objects, as .* holds an object"),
        ("x.json", "[1, 2", "it is no JSON"),
        ("x.json", "[1, 2]", "entry 1 must be a JSON object, and is a text or a number"),
        ("x.jsonl", "hello\n", "line 1 must be a JSON object: 'hello'"),
        ("x.jsonl", "[" * 100_000, "line 1 must be a JSON object"),
    ],
)
def test_json_of_another_form(read, name, content, message):
    with pytest.raises(UserError, match=message):
        read(content, name)


def test_rows_without_a_value_are_named(read):
    lines = ['{"text": "a", "label": null}', '{"text": "b"}', '{"text": ["c"], "label": "x"}']
    table = read("\n".join([*lines, '{"text": "?!", "label": "x"}', '"d"']), "x.jsonl")
    usable, left_out = examples(table, Columns("text", "label"))
    assert not usable and left_out == {
        1: "row 1 has no 'label'",
        2: "row 2 has no 'label'",
        3: "row 3 has no 'text'",
        4: "row 4 has no letter or digit in 'text'",
        5: "line 5 must be a JSON object, and is a text or a number",
    }


def test_half_a_character_is_named(read):
    table = read(r'{"text": "a \ud83d", "label": "x"}', "x.jsonl")
    assert examples(table, Columns("text", "label"))[1] == {
        1: "row 1 holds half a character in 'text'"
    }


def rows(header: str, *columns) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in zip(*columns))])


TEXTS = [f"a longer text of number {n}" for n in range(12)]


@pytest.mark.parametrize(
    ("header", "columns", "expected"),
    [
        ("text,label", (TEXTS, "abcabcabcabc"), Columns("text", "label")),
        ("Category,Text", ("abcabcabcabc", TEXTS), Columns("Text", "Category")),
        ("kind,words", ("abcabcabcabc", TEXTS), Columns("words", "kind")),
        ("id,kind,words", (range(12), "abcabcabcabc", TEXTS), Columns("words", "kind")),
        ("text,target,kind", (TEXTS, range(12), "aabbaabbaabb"), None),  # 12 targets of 12 rows
        ("speaker,said,word", ("xxyyxxyyxxyy", TEXTS, "abcabcabcabc"),
         Columns("said", "word", "speaker")),
        ("sentence,head,relation", (TEXTS, "aabbccddeeff", "ababababcdcd"), None),
        ("a,b", (TEXTS, TEXTS), None),
    ],
)  # fmt: skip
def test_columns_are_guessed_or_asked_for(read, header, columns, expected):
    table = read(rows(header, *columns))
    if expected is not None:
        assert choose_columns(table) == expected
        return
    with pytest.raises(
        UserError, match=rf"`--label-column` must name .*\({header.replace(',', ', ')}\)"
    ):
        choose_columns(table)


def test_columns_by_name(read):
    table = read(rows("a,b,c", TEXTS, "aabbccddeeff", "ababababcdcd"))
    assert choose_columns(table, text="a", label="c") == Columns("a", "c")
    assert choose_columns(table, label="b", group="c") == Columns("a", "b", "c")
    for option in ("text", "label", "group"):
        with pytest.raises(UserError, match=rf"`--{option}-column` .*\(a, b, c\): got 'd'"):
            choose_columns(table, **{option: "d"})


def test_a_first_line_that_names_no_columns(read):
    rows = "".join(f"call {n},{('halt', 'go', 'up')[n % 3]}\n" for n in range(12))
    with pytest.raises(UserError, match=r"first line of x\.csv must .*: 'halt' there"):
        pairs(read(rows))
    with pytest.raises(UserError, match="it has only '# a comment'"):
        pairs(read("# a comment\n" + CSV))
    with pytest.raises(UserError, match="line 2 must name its columns, and is blank"):
        read("\n ,\n\n")


def test_what_spreadsheets_and_programs_add(read):
    assert pairs(read("sep=;\r\n" + CSV.replace(",", ";"))) == ROWS
    assert pairs(read("\ufeff\ufeff" + CSV)) == ROWS
    spaced = "text, label\n" + "".join(f'"{text}", "{label}"\n' for text, label in ROWS)
    assert pairs(read(spaced)) == ROWS
    table = read('{"text": "a", "label": NaN}\n{"text": "b", "label": "x"}', "x.jsonl")
    assert examples(table, Columns("text", "label"))[1] == {1: "row 1 has no 'label'"}
    with pytest.raises(UserError, match="no object holds a text or a number"):
        read('{"data": [{"text": "a", "label": "b"}]}', "x.json")


def test_a_table_of_queries_needs_texts_alone(read):
    assert choose_text(read("utterance,id\nhello,1\n")) == "utterance"
    assert choose_text(read("words\nhello\n")) == "words"
    assert choose_text(read("label,words\nx,hello\n")) == "words"
    with pytest.raises(UserError, match="`--text-column`"):
        choose_text(read("a,b\nhello,hallo\n"))


def test_what_is_a_table(tmp_path):
    for name in ("a.csv", "a.TSV", "a.json", "a.xlsx"):
        (tmp_path / name).write_text("x")
    assert [is_table(tmp_path / n) for n in ("a.csv", "a.TSV", "a.json", "a.xlsx", "b.csv")] == [
        *(True, True, True, False, False)
    ]
    assert not is_table(tmp_path / ("x" * 5_000 + ".csv")) and not is_table(tmp_path / "a\0.csv")
