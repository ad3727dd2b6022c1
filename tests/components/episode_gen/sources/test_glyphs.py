import pytest

from components.episode_gen.check import check_data
from components.episode_gen.glyphs import builder
from components.episode_gen.options import DataOptions, EpisodeOptions


@pytest.fixture
def few_glyphs(monkeypatch):
    monkeypatch.setattr(builder, "ALPHABETS", 4)
    monkeypatch.setattr(builder, "CHARACTERS", 5)
    monkeypatch.setattr(builder, "DRAWINGS", 3)


def test_they_are_drawn_into_the_data_folder_and_read_back(few_glyphs, tmp_path):
    data = DataOptions(
        data_dir=str(tmp_path), split_by="group", split_counts=(2, 1, 1), invert=True
    )
    checked = check_data(data, EpisodeOptions(ways=5, shots=1, queries=2))
    assert [len(names) for names in checked.splits.values()] == [10, 5, 5]
    assert checked.catalogue.size() == 60 and checked.spec.invert
    assert list((tmp_path / "glyphs").glob("*/dataset_info.json"))


def test_two_machines_draw_the_same_bytes(few_glyphs, tmp_path):
    contents = []
    for name in ("one", "two"):
        source = check_data(
            DataOptions(data_dir=str(tmp_path / name)), EpisodeOptions(ways=2, shots=1, queries=1)
        ).source
        contents.append([stored for part in source.parts() for stored in source.read(part)])
    assert contents[0] == contents[1]


def test_the_cache_folder_is_the_users(few_glyphs, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    check_data(DataOptions(), EpisodeOptions(ways=2, shots=1, queries=1))
    assert (tmp_path / "fewshot-pipeline" / "glyphs").is_dir()
