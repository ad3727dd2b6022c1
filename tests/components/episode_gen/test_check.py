import shutil

import pytest

from components.episode_gen.check import check_data
from components.episode_gen.options import DataOptions, EpisodeCounts, EpisodeOptions
from serving.errors import UserError

SMALL = {"ways": 2, "shots": 1, "queries": 2}


def folder(path, **options) -> DataOptions:
    return DataOptions(source="folder", path=str(path), image_size=8, **options)


def test_sound_data_are_described(image_folder):
    checked = check_data(folder(image_folder), EpisodeOptions(**SMALL))
    assert checked.spec.shape == (8, 8, 1)
    assert checked.catalogue.size() == 72
    assert [len(names) for names in checked.splits.values()] == [8, 2, 2]


def test_fewer_classes_than_ways(image_folder):
    with pytest.raises(UserError, match=r"`episodes\.ways` .* got 5, and eval has 2 of the 12"):
        check_data(folder(image_folder), EpisodeOptions(queries=1))


def test_a_split_without_episodes_needs_no_classes(image_folder):
    counts = EpisodeCounts(train=1, eval=0, test=0)
    check_data(folder(image_folder), EpisodeOptions(queries=1, counts=counts))


def test_more_shots_and_queries_than_a_class_has(image_folder):
    with pytest.raises(
        UserError,
        match=r"got 4 \+ 3, and of the 8 classes of train 8 have fewer: 'class_00' \(6\), 'class_",
    ):
        check_data(folder(image_folder), EpisodeOptions(ways=2, shots=4, queries=3))


def test_the_message_names_the_option_that_holds(image_folder):
    with pytest.raises(UserError, match=r"`episodes\.shots` \+ `episodes\.train_queries`"):
        check_data(folder(image_folder), EpisodeOptions(**SMALL, train_queries=6))


def test_episodes_within_a_group_need_n_classes_in_each(grouped_folder):
    options = {"queries": 1, "train_within_group": True, "counts": EpisodeCounts(1, 0, 0)}
    data = folder(grouped_folder, split_by="group", split_counts=(2, 0, 1))
    check_data(data, EpisodeOptions(ways=4, **options))
    with pytest.raises(UserError, match=r"`episodes\.ways` .* got 5, and group 'group_\d' has 4"):
        check_data(data, EpisodeOptions(ways=5, **options))


def test_episodes_within_a_group_need_groups(image_folder):
    with pytest.raises(UserError, match=r"'class_.*' has none, or several"):
        check_data(folder(image_folder), EpisodeOptions(**SMALL, train_within_group=True))


def test_the_fingerprint_changes_with_the_files(image_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(image_folder, copy)
    before = check_data(folder(copy), EpisodeOptions(**SMALL)).fingerprint
    assert check_data(folder(copy), EpisodeOptions(**SMALL)).fingerprint == before
    (copy / "class_00" / "0.png").unlink()
    assert check_data(folder(copy), EpisodeOptions(**SMALL)).fingerprint != before


def test_a_name_that_looks_rotated_is_refused_where_classes_are_rotated(image_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(image_folder, copy)
    (copy / "class_00").rename(copy / "class_00@90")
    check_data(folder(copy), EpisodeOptions(**SMALL))
    with pytest.raises(UserError, match="got 'class_00@90'"):
        check_data(folder(copy), EpisodeOptions(**SMALL, rotations="train"))
