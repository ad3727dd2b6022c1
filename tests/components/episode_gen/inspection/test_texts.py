"""What the inspection of a table says is what the pipeline will meet."""

import csv

import pytest

from components.episode_gen.check import check_data
from components.episode_gen.inspection import inspect
from components.episode_gen.options import DataOptions, EpisodeOptions
from serving.errors import UserError

ROWS = [(f"a request of kind {n % 6}, number {n}", f"kind_{n % 6}", "high") for n in range(18)]


def write(path, rows=ROWS, columns=("text", "label", "priority")):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def test_it_counts_and_measures(tmp_path):
    found = inspect(write(tmp_path / "requests.csv"))
    assert (found.kind, found.modality) == ("a table of texts", "text")
    assert found.class_sizes == {f"kind_{n}": 3 for n in range(6)}
    assert found.facts["lengths"] == "29 to 30, median 29 characters"


def test_columns_of_other_names_are_told_by_what_they_hold(tmp_path):
    rows = [(priority, topic, body) for body, topic, priority in ROWS]
    found = inspect(write(tmp_path / "requests.csv", rows, ("urgency", "topic", "body")))
    assert (found.data["input_feature"], found.data["label_feature"]) == ("body", "topic")


def test_columns_that_cannot_be_told_are_asked_for(tmp_path):
    rows = [(f"text {n}", f"kind {n}") for n in range(8)]  # nothing repeats
    with pytest.raises(UserError, match=r"`data\.label_feature` must name a column of few\.csv"):
        inspect(write(tmp_path / "few.csv", rows, ("a", "b")))


def test_rows_that_lack_a_value_are_named(tmp_path):
    rows = [*ROWS, ("", "kind_1", "low"), ("no kind", " ", "low")]
    found = inspect(write(tmp_path / "requests.csv", rows))
    assert found.unreadable == {
        "requests.csv:19": "row 19 has no 'text'",
        "requests.csv:20": "row 20 has no 'label'",
    }


def test_the_same_text_in_two_classes_is_named(tmp_path):
    rows = [*ROWS, (ROWS[0][0].upper(), "kind_5", "low"), (ROWS[1][0], "kind_1", "low")]
    found = inspect(write(tmp_path / "requests.csv", rows))
    assert found.duplicates == [["requests.csv:1", "requests.csv:19"]]


def test_the_section_reads_what_was_found(tmp_path):
    found = inspect(write(tmp_path / "requests.csv", [*ROWS, ("", "kind_1", "low")]))
    data = DataOptions(**found.data, split_counts=(2, 2, 2))
    checked = check_data(data, EpisodeOptions(ways=2, shots=1, queries=1))
    assert {n: len(ids) for n, ids in checked.catalogue.examples.items()} == found.class_sizes
    assert checked.skipped == found.unreadable


def test_groups_of_a_table_are_kept_apart_when_asked_for(tmp_path):
    rows = [(text, label, f"group_{int(label[-1]) % 3}") for text, label, _ in ROWS]
    path = write(tmp_path / "requests.csv", rows, ("text", "label", "domain"))
    found = inspect(path, split_by="group")
    assert found.data["split_by"] == "group"
    assert found.class_sizes == {f"group_{n % 3}/kind_{n}": 3 for n in range(6)}
    assert "split_by" not in inspect(path).data
