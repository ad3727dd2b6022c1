"""The archive of the user's own code."""

import subprocess
import sys
from pathlib import Path

import pytest

from components import own_code

FILES = {
    "mine_{n}.py": "import numpy, near_{n}, pkg_{n}.deep.parts\ndef source(data): ...\n",
    "near_{n}.py": "def later():\n    from pkg_{n} import far\n",
    "pkg_{n}/__init__.py": "",
    "pkg_{n}/far.py": "TABLE = 'table.txt'\n",
    "pkg_{n}/table.txt": "one",
    "pkg_{n}/unused.py": "",
    "pkg_{n}/deep/parts.py": "from .. import far\nOTHER = '../../data.txt'\n",
    "data.txt": "large",
    "unused_{n}.py": "",
}
PACKED = [
    "mine_{n}.py",
    "near_{n}.py",
    "pkg_{n}/__init__.py",
    "pkg_{n}/deep/parts.py",
    "pkg_{n}/far.py",
    "pkg_{n}/table.txt",
]


@pytest.fixture
def number(tmp_path, monkeypatch) -> str:
    """In the names of files in the current folder: Python keeps what it imported."""
    number = "".join(c for c in tmp_path.name if c.isalnum())
    for name, text in FILES.items():
        path = tmp_path / name.format(n=number)
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text.format(n=number))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    return number


def test_it_has_what_the_parts_import_of_the_user_s_and_the_files_that_a_package_names(number):
    files = own_code.own_files(["maml", f"mine_{number}.source"])
    assert sorted(files) == [name.format(n=number) for name in PACKED]
    assert own_code.own_files(["maml", ""]) == {} and own_code.pack(["glyphs"]) == b""


def test_another_process_imports_it_and_so_do_those_that_it_starts(number, tmp_path):
    archive = own_code.pack([f"mine_{number}.source"])
    assert archive == own_code.pack([f"mine_{number}.source"])
    (tmp_path / "archive").write_bytes(archive)
    program = f"""
import subprocess, sys
from pathlib import Path
from components import own_code
folder = own_code.unpack(Path({str(tmp_path / "archive")!r}).read_bytes())
text = "import mine_{number} as m, pkg_{number}.far as f; print(m.source, f.__file__)"
exec(text)
assert f.__file__.startswith(folder) and Path(f.__file__).with_name(f.TABLE).read_text() == "one"
subprocess.run([sys.executable, "-c", text], check=True)
"""
    root = str(Path(own_code.__file__).parents[1])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=elsewhere,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_every_file_of_it_is_in_the_key_of_a_step(number, tmp_path):
    files = {Path(file).name for file in own_code.files(f"mine_{number}.source")}
    assert files == {Path(name.format(n=number)).name for name in PACKED}


def test_what_the_project_does_not_need_is_missing_from_its_image(number, tmp_path):
    assert own_code.missing_from(["protonet", f"mine_{number}.source"]) == []
    text = "import tensorflow, PIL, dask\nfrom pytest import fixture\ndef source(data): ...\n"
    (tmp_path / f"other_{number}.py").write_text(text)
    missing = own_code.missing_from([f"other_{number}.source"])
    assert [one.split()[0] for one in missing] == ["dask", "pytest"]
    # A part in an installed package is not packed: the image must have the package.
    assert own_code.own_files(["dask.config.get"]) == {}
    assert [one.split()[0] for one in own_code.missing_from(["dask.config.get"])] == ["dask"]
