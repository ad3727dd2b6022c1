"""The page, the record and the table of a comparison."""

import json

from rich.console import Console

from pipeline.compare.differences import differences
from pipeline.compare.report import difference_line, table, write_report


def test_page_and_record_hold_all_that_was_found(result, tmp_path):
    results = [result("anil", [0.1, 0.2, 0.2]), result("proto_maml", [0.7, 0.9, 0.8])]
    page = write_report(results, tmp_path, {"name": "small"}).read_text()
    assert "proto_maml is best" in page and "100/200" in page and "takes none" in page
    assert "95.00% interval" in page and "<svg" in page
    record = json.loads((tmp_path / "compare.json").read_text())
    assert [one["learner"] for one in record["learners"]] == ["proto_maml", "anil"]
    (found,) = record["differences"]
    assert found["real"] and abs(found["gain"]["mean"] - 19 / 30) < 1e-9
    assert not list(tmp_path.glob("*.partial"))


def test_names_cannot_break_the_page(result, tmp_path):
    results = [result("<b>", [0.1, 0.2]), result("maml", [0.7, 0.9])]
    assert "<td><b></td>" not in write_report(results, tmp_path, {}).read_text()


def test_the_table_fits_a_terminal(result):
    errors = {"metric": "mean_squared_error", "higher_is_better": False, "total_steps": 20000}
    names = ("maml_plus_plus", "meta_lstm")
    results = [result(name, [1, 2], **errors, steps=20000) for name in names]
    console = Console(width=80, record=True)
    console.print(table(results))
    lines = console.export_text().splitlines()
    assert len(lines) == 3 and "…" not in "".join(lines)
    assert "20000/20000" in lines[1]


def test_long_names_are_folded_and_not_cut(result):
    name = "training.meta_learning_rate=0.001"
    console = Console(width=80, record=True)
    console.print(table([result(name, [0.5, 0.6]), result("other", [0.1, 0.2])]))
    lines = console.export_text().splitlines()
    assert "".join(line[:26].strip() for line in lines[1:3]) == name and "…" not in "".join(lines)


def test_a_difference_as_a_line(result):
    results = [result("anil", [0.0, 0.5]), result("maml", [1.0, 1.0])]
    assert difference_line(differences(results)[0]) == "maml against anil: +0.7500 ± 0.4900, real"
