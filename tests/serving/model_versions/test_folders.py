import os
from pathlib import Path

import pytest

from serving.errors import UserError
from serving.model_versions import folders


@pytest.fixture
def saved_model(tmp_path):
    folder = tmp_path / "exported"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    return folder


def test_only_folders_with_numbers_for_names_are_versions(tmp_path):
    for name in ("7", "00000010", "v1", ".publishing-x", "1.5"):
        (tmp_path / name).mkdir()
    (tmp_path / "9").write_bytes(b"a file")
    assert list(folders.list_versions(tmp_path)) == [7, 10]
    assert folders.list_versions(tmp_path / "absent") == {}


@pytest.mark.parametrize(
    "existing, now, expected", [([], 100, 100), ([50], 100, 100), ([100], 100, 101), ([7], 3, 8)]
)
def test_a_new_version_is_greater_than_all_even_if_the_clock_is_not(existing, now, expected):
    assert folders.next_version(existing, now=now) == expected


def test_publishing_twice_in_one_second_gives_two_complete_versions(tmp_path, saved_model):
    base = tmp_path / "models"
    first = folders.publish(saved_model, base, now=5)
    second = folders.publish(saved_model, base, now=5)
    assert (first.name, second.name) == ("5", "6")
    for folder in (first, second):
        assert (folder / "variables" / "variables.index").read_bytes() == b"index"
    assert sorted(entry.name for entry in base.iterdir()) == ["5", "6"]


def test_a_copy_that_fails_leaves_nothing(tmp_path, saved_model, monkeypatch):
    base = tmp_path / "models"

    def no_space(*_):
        raise OSError("no space left")

    monkeypatch.setattr(folders, "_flush_to_disk", no_space)
    with pytest.raises(OSError, match="no space"):
        folders.publish(saved_model, base, now=5)
    assert list(base.iterdir()) == []


def test_a_number_taken_meanwhile_is_not_overwritten(tmp_path, saved_model, monkeypatch):
    base = tmp_path / "models"
    real, taken = os.replace, []

    def rename_after_a_rival(source, target):
        if not taken:
            taken.append(target)
            Path(target).mkdir()
            (Path(target) / "saved_model.pb").write_bytes(b"rival")
        real(source, target)

    monkeypatch.setattr(os, "replace", rename_after_a_rival)
    folder = folders.publish(saved_model, base, now=5)
    assert folder.name == "6"
    assert (base / "5" / "saved_model.pb").read_bytes() == b"rival"


def test_what_is_no_saved_model_is_not_published(tmp_path):
    with pytest.raises(UserError, match=r"must be a folder with a saved_model\.pb"):
        folders.publish(tmp_path, tmp_path / "models", now=1)


@pytest.mark.parametrize(
    "keep, served, broken, dropped",
    [
        (1, [], [], [1, 2, 3]),
        (2, [], [], [1, 2]),
        (1, [1], [], [2, 3]),
        (9, [], [], []),
        (1, [], [4], [1, 2]),  # 3 is what a server serves
        (1, [], [4, 3], [1]),
        (2, [], [4, 2], []),  # 3 and 1
        (2, [], [3], [1]),  # 4 and 2; 3 is newer than one that stays
        (1, [], [4, 3, 2, 1], []),
    ],
)
def test_the_newest_that_load_and_the_served_versions_stay(tmp_path, keep, served, broken, dropped):
    for number in (3, 1, 4, 2):
        (tmp_path / str(number)).mkdir()
    was = folders.drop_versions(
        tmp_path, keep=keep, loads=lambda folder: int(folder.name) not in broken, served=served
    )
    assert was == dropped
    assert {int(e.name) for e in tmp_path.iterdir()} == {1, 2, 3, 4} - set(dropped)


def test_what_is_kept_beside_a_version_is_no_version_and_goes_with_it(tmp_path):
    for number in (1, 11):
        (tmp_path / str(number)).mkdir()
        (tmp_path / f"{number}.summary.json").touch()
    assert list(folders.list_versions(tmp_path)) == [1, 11]
    folders.drop_versions(tmp_path, keep=1, loads=lambda _: True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["11", "11.summary.json"]


def test_no_more_versions_are_tried_than_have_to(tmp_path):
    for number in range(1, 6):
        (tmp_path / str(number)).mkdir()
    tried = []
    folders.drop_versions(tmp_path, keep=2, loads=lambda f: tried.append(f.name) is None)
    assert tried == ["5", "4"]


def test_keeping_none_is_refused(tmp_path):
    with pytest.raises(UserError, match="at least 1 version; got 0"):
        folders.drop_versions(tmp_path, keep=0, loads=lambda _: True)


def test_a_number_beyond_the_protocols_is_no_version(tmp_path):
    for name in ("9223372036854775807", "9223372036854775808", "9" * 200, "٣"):
        (tmp_path / name).mkdir()
    assert list(folders.list_versions(tmp_path)) == [2**63 - 1]
