"""What a folder holds: each file is an example or is named with the reason why it is none."""

import os

import pytest

from serving.files.folders import choose, list_files, split_like
from serving.files.picture_header import SUFFIXES


def make(root, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def look(root, depth=None):
    return choose(list_files(root), SUFFIXES, kind="pictures", depth=depth)


def test_classes_and_files_are_sorted(tmp_path):
    make(tmp_path, "b/2.png", "b/10.PNG", "a/x.jpeg", "a b/y.webp")
    assert look(tmp_path).files == {"a": ["x.jpeg"], "a b": ["y.webp"], "b": ["10.PNG", "2.png"]}


def test_hidden_and_system_files_are_no_classes(tmp_path):
    make(tmp_path, "a/1.png", ".ipynb_checkpoints/1.png", "__MACOSX/a/._1.png", "a/.DS_Store")
    make(tmp_path, "a/Thumbs.db", "a/desktop.ini", "a/.ipynb_checkpoints/1-checkpoint.png")
    found = look(tmp_path)
    assert found.files == {"a": ["1.png"]} and not found.unreadable
    assert set(found.ignored) == {
        *(".ipynb_checkpoints", "__MACOSX", "a/.DS_Store"),
        *("a/Thumbs.db", "a/desktop.ini", "a/.ipynb_checkpoints"),
    }


def test_one_loose_file_changes_nothing_but_is_named(tmp_path):
    make(tmp_path, *(f"group_{g}/class_{c}/{n}.png" for g in "ab" for c in "xy" for n in "123"))
    make(tmp_path, "group_a/loose.png", "top.png", "group_a/class_x/deep/1.png")
    found = look(tmp_path)
    assert found.depth == 2 and sum(map(len, found.files.values())) == 12
    assert found.misplaced == {
        "group_a/loose.png": "it lies one folder above those of the classes",
        "top.png": "it lies 2 folders above those of the classes",
        "group_a/class_x/deep/1.png": "it lies one folder below those of the classes",
    }


def test_other_kinds_are_named_by_their_ending(tmp_path):
    make(tmp_path, "a/1.png", "a/notes.TXT", "README", "a/1.heic")
    assert look(tmp_path).ignored == {
        "a/notes.TXT": "it is a .txt file; pictures are looked for",
        "README": "its name has no ending; pictures are looked for",
        "a/1.heic": "it is a .heic file; pictures are looked for",
    }


def test_links(tmp_path):
    root = tmp_path / "root"
    make(tmp_path, "elsewhere/1.png", "root/a/1.png")
    (root / "b").symlink_to(tmp_path / "elsewhere")
    (root / "a" / "2.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    (root / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (root / "a" / "up").symlink_to(root)
    (root / "a" / "itself.png").symlink_to(root / "a" / "itself.png")
    found = look(root)
    assert found.files == {"a": ["1.png", "2.png"], "b": ["1.png"]}
    assert found.unreadable == {
        "a/gone.png": "it is a broken link",
        "a/itself.png": "it is a broken link",
    }
    assert found.ignored == {"a/up": "it is a link to a folder that holds it"}


def test_odd_names_are_taken_as_they_are(tmp_path):
    names = ["-a/--help.png", "[b]/*?.png", "c\nd/\t.png", "e {f}/ß☃.png", "G/😀.png", "%s/$x.png"]
    make(tmp_path, *names)
    assert [f"{folder}/{file}" for folder, (file,) in look(tmp_path).files.items()] == sorted(names)


def test_names_that_are_no_utf8_are_named(tmp_path):
    make(tmp_path, "a/1.png")
    for name in (b"a/caf\xe9.png", b"caf\xe9/1.png"):
        path = os.path.join(os.fsencode(tmp_path), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "wb").close()
    found = look(tmp_path)
    assert found.files == {"a": ["1.png"]}
    assert list(found.unreadable) == ["a/caf\\xe9.png", "caf\\xe9"]


def test_what_is_no_file_and_what_is_too_deep(tmp_path):
    make(tmp_path, "a/1.png", "a/b/c/d/e/1.png")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    found = look(tmp_path)
    assert found.unreadable == {"a/pipe.png": "it is no ordinary file"}
    assert found.ignored == {"a/b/c/d/e": "it lies more than 4 folders deep"}


def test_nothing_vanishes(tmp_path):
    make(tmp_path, "a/1.png", "a/2.txt", "b/c/3.png", "4.png", ".x", "b/c/d/5.png", "e/6")
    found = look(tmp_path, depth=1)
    taken = [f"{folder}/{file}" for folder, files in found.files.items() for file in files]
    everything = [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted([*taken, *found.left_out()]) == sorted(everything)


def test_a_folder_that_is_not_there(tmp_path):
    assert list_files(tmp_path / "no").unreadable == {".": "no such file or directory"}


@pytest.mark.parametrize(
    ("folders", "by_name", "same"),
    [
        (["train/a", "train/b", "val/a", "val/b", "test/a", "test/b"], True, True),
        (["Train/a", "Test/b"], True, False),
        (["ann/yes", "ann/no", "bob/yes", "bob/no"], False, True),
        (["train", "test"], True, False),
    ],
)
def test_splits_are_recognised(folders, by_name, same):
    found = split_like(folders)
    assert (found.by_name, found.same_classes) == (by_name, same)


@pytest.mark.parametrize("folders", [["a", "b"], ["train", "plane"], ["g/a", "h/b"], ["g/a"], []])
def test_groups_and_classes_are_no_splits(folders):
    assert split_like(folders) is None
