"""A benchmark changes no committed file unless it is told to record."""

import argparse
import json
import subprocess
import sys

import pytest

from benchmarks.reporting import (
    RECORDED,
    ROOT,
    UNRECORDED,
    add_record_option,
    read_result,
    report,
    write_result,
)


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_record_option(parser)
    return parser.parse_args(arguments)


def test_results_go_to_the_committed_folder_only_with_the_flag():
    assert parse().results == UNRECORDED
    assert parse("--record").results == RECORDED


def test_git_ignores_the_folder_of_unrecorded_results():
    path = UNRECORDED / "any.json"
    ignored = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT)
    if ignored.returncode == 128:
        pytest.skip("not a git repository")
    assert ignored.returncode == 0


def test_a_report_writes_the_result_and_prints_its_table(tmp_path, capsys):
    report("name", {"figure": 7}, tmp_path / "new", lambda result: f"| {result['figure']} |\n")
    assert read_result("name", tmp_path / "new") == {"figure": 7}
    assert "| 7 |" in capsys.readouterr().out


def test_a_result_that_cannot_be_written_leaves_the_old_one(tmp_path):
    write_result("name", {"figure": 1}, tmp_path)
    with pytest.raises(TypeError):
        write_result("name", {"figure": object()}, tmp_path)
    assert json.loads((tmp_path / "name.json").read_text()) == {"figure": 1}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "module",
    [
        "episode_gen",
        "glyph_learners",
        "input_pipeline",
        "learners",
        "meta_step",
        "million_classes",
        "omniglot",
        "omniglot.errors",
        "serving.fuzz",
        "serving.load",
        "serving.rest",
        "serving.restart",
        "serving.soak",
        "sinusoid.curves",
    ],
)
def test_every_benchmark_has_the_flag(module):
    file = ROOT / "benchmarks" / module.replace(".", "/")
    file = file / "__main__.py" if file.is_dir() else file.with_suffix(".py")
    source = file.read_text()
    assert "add_record_option(parser)" in source and ", arguments.results" in source.replace(
        "args.results", "arguments.results"
    )


def test_running_one_without_the_flag_changes_no_committed_file(tmp_path):
    before = {path: path.read_bytes() for path in RECORDED.iterdir()}
    # As `python -m benchmarks.million_classes 50`, but the user's own results stay as they are.
    program = (
        "import pathlib, runpy, sys; from benchmarks import reporting; "
        f"reporting.UNRECORDED = pathlib.Path({str(tmp_path)!r}); sys.argv[1:] = ['50']; "
        "runpy.run_module('benchmarks.million_classes', run_name='__main__')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True)
    assert {path: path.read_bytes() for path in RECORDED.iterdir()} == before
    assert len(read_result("million_classes", tmp_path)["measured"]) == 3
