import io
import json
import wave

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

from serving.client.answer import Answer
from serving.client.command import error_sentence, print_table, query
from serving.client.files import convert_recordings, read_queries, read_support
from serving.errors import UserError
from serving.protocol.status import INVALID_ARGUMENT, StatusError


@pytest.fixture
def pictures(tmp_path):
    """Four dark and four bright pictures, in a folder for each."""
    for name, grey in [("dark", 20), ("bright", 220)]:
        folder = tmp_path / "support" / name
        folder.mkdir(parents=True)
        for n in range(4):
            Image.new("L", (4, 4), grey + n).save(folder / f"{n}.png")
    return tmp_path / "support"


@pytest.fixture(params=["--model", "--address", "--rest"])
def target(request, server, model):
    name = ["--model-name", "few_shot"]
    return {
        "--model": ["--model", str(model)],
        "--address": ["--address", f"localhost:{server.port}", *name],
        "--rest": ["--rest", f"http://localhost:{server.rest_port}", *name],
    }[request.param]


def ask(*arguments):
    return CliRunner().invoke(query, list(map(str, arguments)), env={"COLUMNS": "200"})


def test_the_table_names_the_class_of_every_file(pictures, target):
    files = [pictures / "dark" / "0.png", pictures / "bright" / "3.png"]
    result = ask("--support", pictures, *target, *files)
    assert result.exception is None, result.output
    rows = [line.split("│") for line in result.output.splitlines() if ".png" in line]
    assert [row[2].strip() for row in rows] == ["dark", "bright"]
    assert all(float(row[3]) > 0.9 for row in rows)


def test_long_names_are_folded_and_not_cut(capsys):
    answer = Answer(np.array([[0.9, 0.1]]), ["last_maintenance_of_the_car" * 2, "other" * 20])
    print_table(["a query that is as long as this one"], [answer])
    told = "".join(
        line.split("│")[2].strip()
        for line in capsys.readouterr().out.splitlines()
        if line.count("│") == 6
    )
    assert told == answer.class_names[0]


def test_exactly_one_target_is_needed(pictures):
    for target in ([], ["--model", "a", "--rest", "b"]):
        result = ask("--support", pictures, *target, "x.png")
        assert isinstance(result.exception, UserError)
        assert "Give exactly one of" in str(result.exception)


def test_a_file_that_is_no_picture_is_one_sentence(pictures, server):
    (pictures / "dark" / "1.png").write_bytes(b"no picture")
    address = ["--address", f"localhost:{server.port}", "--model-name", "few_shot"]
    result = ask("--support", pictures, *address, pictures / "dark" / "0.png")
    assert isinstance(result.exception, UserError)
    assert "dark/1.png': it is not a png, jpg" in str(result.exception)


def test_the_sentence_of_a_check_is_told_without_its_wrapping():
    @tf.function
    def check(count: tf.Tensor) -> tf.Tensor:
        said = ["`support_x` must hold [2] wav files; got ", tf.strings.as_string(count), "."]
        with tf.control_dependencies([tf.debugging.Assert(count < 1, [tf.strings.join(said)])]):
            return tf.identity(count)

    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        check(tf.constant(3))
    told = error_sentence(StatusError(INVALID_ARGUMENT, raised.value.message), "localhost:1")
    sentence = "`support_x` must hold [2] wav files; got 3."
    assert told == f"The model refused: INVALID_ARGUMENT: {sentence}"


def test_an_unknown_model_is_one_sentence_with_the_flag(pictures, server):
    for target in (
        f"--address=localhost:{server.port}",
        f"--rest=http://localhost:{server.rest_port}",
    ):
        result = ask("--support", pictures, target, pictures / "dark" / "0.png")
        assert isinstance(result.exception, UserError)
        assert "does not serve this model" in str(result.exception)
        assert "`--model-name`" in str(result.exception)


def test_files_of_one_folder_are_named_without_it(pictures, model):
    files = [pictures / "dark" / f"{n}.png" for n in (0, 1)]
    output = ask("--support", pictures, "--model", model, *files).output
    assert "dark/" not in output and "1.png" in output
    other = pictures / "bright" / "1.png"
    assert "bright/1.png" in ask("--support", pictures, "--model", model, *files, other).output


@pytest.mark.parametrize("target", [["--address", "localhost:1"], ["--rest", "http://localhost:1"]])
def test_a_server_that_is_not_there_is_one_sentence(pictures, target):
    result = ask("--support", pictures, *target, "--timeout", "0.3", pictures / "dark" / "0.png")
    assert isinstance(result.exception, UserError)
    assert f"{target[1]} does not answer" in str(result.exception)


def test_a_folder_of_folders_is_read_in_the_order_of_names(pictures):
    (pictures / "dark" / ".hidden").touch()
    support, _, ignored = read_support(pictures)
    assert ignored == {"dark/.hidden": "it is hidden"}
    assert list(support) == ["bright", "dark"]
    assert [path.name for path in support["dark"]] == ["0.png", "1.png", "2.png", "3.png"]


def test_a_folder_of_queries_and_json(pictures, target):
    (pictures / "[bold]").symlink_to(pictures / "bright")
    result = ask("--support", pictures, *target, "--json", pictures / "dark")
    assert result.exception is None, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["query"] for line in lines] == [str(pictures / f"dark/{n}.png") for n in range(4)]
    for line in lines:
        assert line["class"] == "dark" and line["probability"] == line["probabilities"]["dark"]
        assert list(line["probabilities"]) == ["[bold]", "bright", "dark"]


def test_words_are_printed_as_they_are(capsys):
    answer = Answer(np.array([[0.9, 0.1], [0.2, 0.8]]), ["[bold]", "[/INST]"])
    print_table(["[urgent] :smile: pay 3/4", "b"], [answer])
    output = capsys.readouterr().out
    assert all(word in output for word in ("[bold]", "[/INST]", "[urgent] :smile: pay 3/4"))


def test_a_lone_text_is_no_path(tmp_path, capsys):
    (tmp_path / "s.csv").write_text("Text;Category\nhello;a\nbye;b\n", encoding="utf-8-sig")
    found = read_support(tmp_path / "s.csv")
    assert found.examples == {"a": ["hello"], "b": ["bye"]} and found.kind is None
    assert read_queries(("pay 3/4 of it",), None) == [("pay 3/4 of it", "pay 3/4 of it")]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("missing.csv", "there is no such table as 'missing.csv'"),
        ("😀", "of '😀', it has no letter or digit"),
        ("", "it is empty"),
    ],
)
def test_texts_that_cannot_be_asked_about(query, message):
    with pytest.raises(UserError, match=message):
        read_queries((query,), None)


def test_files_that_a_graph_cannot_read_are_sent_as_pillow_shows_them(tmp_path, model):
    """1 bit, 16 bits, turned by EXIF, transparent: the same answers as 8-bit files."""
    for name, grey in [("dark", 0), ("bright", 255)]:
        (tmp_path / "s" / name).mkdir(parents=True)
        Image.new("1", (4, 4), grey).save(tmp_path / "s" / name / "1bit.png")
        Image.new("L", (4, 4), grey).save(tmp_path / "s" / name / "grey.pgm")
        Image.fromarray(np.full((4, 4), 257 * grey, np.uint16)).save(
            tmp_path / "s" / name / "d.tif"
        )
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.gif")
    result = ask("--support", tmp_path / "s", "--model", model, tmp_path / "clear.gif", "--json")
    assert json.loads(result.stdout)["class"] == "bright"


@pytest.mark.parametrize(
    "name, text",
    [
        ("s.csv", "text,label\n'quoted, yes',a\nsecond,b\n".replace("'", '"')),
        ("s.tsv", "label\ttext\na\tquoted, yes\nb\tsecond\n"),
        (
            "s.jsonl",
            '{"text": "quoted, yes", "label": "a"}\n\n{"text": "second", "label": "b"}\n',
        ),
    ],
)
def test_tables_of_texts(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert read_support(path).examples == {"a": ["quoted, yes"], "b": ["second"]}
    queries = read_queries((str(path), "third"), None)
    assert [example for _, example in queries] == ["quoted, yes", "second", "third"]


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("s.csv", "a,b,c\nx,y,z\n", r"`--label-column` must name a column of s\.csv \(a, b, c\)"),
        ("s.csv", "text,label\nx\n", "line 2 has 1 values, and the header has 2"),
        ("s.jsonl", "nonsense\n", "line 1 must be a JSON object: 'nonsense'"),
        ("s.jsonl", "[1]\n", r"line 1 must be a JSON object, and is a list"),
        ("s.csv", "text,label\n", "holds none"),
        ("s.csv", "text,label\n?!,a\n", "row 1 has no letter or digit"),
        ("s.txt", "x", "must be a folder with a sub-folder"),
    ],
)
def test_support_sets_that_are_wrong(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_support(path)


def test_a_class_without_files_is_named(pictures):
    (pictures / "empty").mkdir()
    with pytest.raises(UserError, match=r"class 'empty' of .* has none"):
        read_support(pictures)


def test_recordings_are_converted_when_asked_for(tmp_path):
    for name, channels in (("yes", 1), ("no", 2)):
        (tmp_path / name).mkdir()
        with wave.open(str(tmp_path / name / "1.wav"), "wb") as file:
            file.setparams((channels, 2, 16_000, 0, "NONE", ""))
            tone = (8_000 * np.sin(np.arange(1_600) / 9)).astype("<i2")
            file.writeframes(np.repeat(tone, channels).tobytes())
    support, kind, _ = read_support(tmp_path)
    queries = read_queries((str(tmp_path / "yes"),), kind)
    support, queries = convert_recordings(support, queries, 8_000)
    for content in (*support["yes"], *support["no"], queries[0][1]):
        with wave.open(io.BytesIO(content)) as file:
            assert file.getparams()[:4] == (1, 2, 8_000, 800)
    (tmp_path / "yes" / "1.wav").write_bytes(b"RIFF")
    with pytest.raises(UserError, match=r"yes/1\.wav': it ends too early"):
        convert_recordings(*[read_support(tmp_path).examples, [], 8_000])
