import pytest

from serving.model_versions.in_use import InUse, is_in_use


def test_a_folder_is_in_use_as_long_as_anyone_holds_it(tmp_path):
    assert not is_in_use(tmp_path)
    one, other = InUse(tmp_path), InUse(tmp_path)
    one.close()
    assert is_in_use(tmp_path) and is_in_use(tmp_path)
    other.close()
    other.close()
    assert not is_in_use(tmp_path)


def test_a_folder_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError):
        InUse(tmp_path / "gone")
