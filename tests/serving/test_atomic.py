"""The one writer: whole or not there, whoever is killed and whoever else writes."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serving import atomic

ROOT = Path(__file__).resolve().parents[2]
WRITE_AND_DIE = """
import os, signal, sys
from serving import atomic
with atomic.replacement(sys.argv[1]) as temporary:
    with open(temporary, "w") as file:
        file.write("half of ")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_text_and_json_replace_what_was_there_and_make_the_folder(tmp_path):
    path = tmp_path / "a" / "b.json"
    atomic.write_text(path, "Größe")
    assert path.read_text(encoding="utf-8") == "Größe"
    atomic.write_json(str(path), {"x": [1]})
    assert json.loads(path.read_text()) == {"x": [1]}
    assert os.listdir(path.parent) == ["b.json"]


def test_a_killed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_text("whole")
    died = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, str(path)], cwd=ROOT, timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert path.read_text() == "whole"
    (left,) = [name for name in os.listdir(tmp_path) if name != "file"]
    assert re.fullmatch(r"\.file\.[0-9a-f]{32}\.partial", left)


@pytest.mark.parametrize("scheme", ["", "ram://"])
def test_an_error_deletes_what_was_written_and_keeps_what_was_there(tmp_path, scheme):
    import tensorflow as tf

    folder = f"{scheme}{tmp_path}"
    atomic.write_text(f"{folder}/file", "whole")
    with pytest.raises(RuntimeError), atomic.replacement(f"{folder}/file") as temporary:
        tf.io.gfile.makedirs(f"{temporary}/half")
        raise RuntimeError
    assert tf.io.gfile.listdir(folder) == ["file"]
    with tf.io.gfile.GFile(f"{folder}/file") as file:
        assert file.read() == "whole"


def test_a_folder_appears_whole_and_is_never_overwritten(tmp_path):
    def write(text: str) -> None:
        with atomic.replacement(f"{tmp_path}/model/7/") as temporary:
            atomic.write_text(f"{temporary}/saved_model.pb", text)
            assert not (tmp_path / "model" / "7").exists() or text == "second"

    write("first")
    with pytest.raises(OSError):
        write("second")
    assert (tmp_path / "model" / "7" / "saved_model.pb").read_text() == "first"
    assert os.listdir(tmp_path / "model") == ["7"]


def test_a_link_is_replaced_in_one_step(tmp_path):
    for name in "first", "second":
        (tmp_path / name).mkdir()
        with atomic.replacement(tmp_path / "latest") as temporary:
            os.symlink(name, temporary)
    assert os.readlink(tmp_path / "latest") == "second"


def test_nothing_else_writes_aside():
    """Files that others read are written by this module: no second writer grows."""
    own = re.compile(r"os\.replace\(|\.partial[\"'`]|gfile\.rename\(|fileio\.rename\(")
    # The second only recognises the names of unfinished files.
    allowed = {"serving/atomic.py", "serving/request_log/files.py"}
    found = {
        str(path.relative_to(ROOT))
        for folder in ("pipeline", "components", "serving", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        if own.search(path.read_text())
    }
    assert found - allowed == set()


def test_the_writer_of_local_files_imports_no_tensorflow(tmp_path):
    code = (
        f"import sys; from serving import atomic; atomic.write_text({str(tmp_path / 'x')!r}, ''); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
