import pytest

from components.episode_gen.catalogue import Catalogue, build_catalogue
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry
from components.episode_gen.splits import rank, split_classes
from serving.errors import UserError

NAMES = [f"c{i:03d}" for i in range(100)]
CATALOGUE = Catalogue(
    {name: ["a"] for name in NAMES}, {name: f"g{i % 10}" for i, name in enumerate(NAMES)}
)


def test_every_class_is_in_exactly_one_split():
    splits = split_classes(CATALOGUE, DataOptions())
    assert {split: len(names) for split, names in splits.items()} == {
        "train": 64,
        "eval": 16,
        "test": 20,
    }
    assert sorted(name for names in splits.values() for name in names) == NAMES


def test_by_group_no_group_is_in_two_splits():
    splits = split_classes(CATALOGUE, DataOptions(split_by="group", split_counts=(6, 2, 2)))
    groups = [{CATALOGUE.groups[name] for name in names} for names in splits.values()]
    assert list(map(len, groups)) == [6, 2, 2]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]


def test_eval_within_takes_classes_of_the_groups_of_train():
    data = DataOptions(split_by="group", split_counts=(8, 0, 2), eval_within=0.25)
    splits = split_classes(CATALOGUE, data)
    groups = {split: {CATALOGUE.groups[n] for n in names} for split, names in splits.items()}
    assert {split: len(names) for split, names in splits.items()} == {
        "train": 60,
        "eval": 20,
        "test": 20,
    }
    assert groups["eval"] <= groups["train"] and not groups["test"] & groups["train"]
    assert not set(splits["eval"]) & set(splits["train"])


def test_the_seed_changes_the_splits_and_nothing_else_does():
    assert split_classes(CATALOGUE, DataOptions()) == split_classes(CATALOGUE, DataOptions())
    assert split_classes(CATALOGUE, DataOptions(seed=1)) != split_classes(CATALOGUE, DataOptions())


def test_a_new_name_moves_no_other_past_another():
    with_new = rank([*NAMES, "new"], seed=0)
    assert [name for name in with_new if name != "new"] == rank(NAMES, seed=0)


def test_classes_left_over_are_in_no_split():
    splits = split_classes(CATALOGUE, DataOptions(split_counts=(10, 5, 5)))
    assert [len(names) for names in splits.values()] == [10, 5, 5]


def test_more_classes_than_there_are_is_a_users_mistake():
    with pytest.raises(UserError, match=r"at most the 100 classes .* got \[90, 10, 10\]"):
        split_classes(CATALOGUE, DataOptions(split_counts=(90, 10, 10)))


def test_a_split_by_group_needs_groups():
    with pytest.raises(UserError, match="'c000' has none"):
        split_classes(Catalogue(CATALOGUE.examples, {}), DataOptions(split_by="group"))


def test_splits_that_are_given_are_kept():
    names = {"train": ["Train", "train"], "eval": ["val", "VALID"], "test": ["test"]}
    groups = {f"{g}_{i}": g for of_split in names.values() for g in of_split for i in range(3)}
    splits = split_classes(
        Catalogue({name: ["a"] for name in groups}, groups), DataOptions(split_by="given")
    )
    assert {split: {groups[name] for name in found} for split, found in splits.items()} == {
        split: set(of_split) for split, of_split in names.items()
    }
    assert sum(map(len, splits.values())) == len(groups)


def test_a_class_in_no_given_split_is_named():
    with pytest.raises(UserError, match="'c000' is in 'g0'"):
        split_classes(CATALOGUE, DataOptions(split_by="given"))


def test_a_class_in_two_given_splits_is_named():
    entries = [CatalogueEntry("oak", split, split) for split in ("train", "test")]
    with pytest.raises(UserError, match="'oak' is in 'none, or several'"):
        split_classes(build_catalogue(entries, by_group=False), DataOptions(split_by="given"))


def spoken_digits():
    """Ten digits said by three speakers."""
    return [
        CatalogueEntry(str(digit), speaker, f"{digit}_{speaker}")
        for speaker in ("ann", "bob", "cyd")
        for digit in range(10)
    ]


def test_a_class_of_several_groups_is_one_class_when_split_by_class():
    catalogue = build_catalogue(spoken_digits(), by_group=False)
    assert catalogue.examples["7"] == ["7_ann", "7_bob", "7_cyd"]
    assert catalogue.groups == {}


def test_a_class_of_several_groups_is_one_for_each_when_split_by_group():
    catalogue = build_catalogue(spoken_digits(), by_group=True)
    assert catalogue.examples["ann/7"] == ["7_ann"]
    assert catalogue.groups["ann/7"] == "ann"
    assert len(catalogue.examples) == 30


def test_the_order_of_reading_does_not_matter():
    entries = spoken_digits()
    assert build_catalogue(entries, by_group=True) == build_catalogue(
        reversed(entries), by_group=True
    )


def test_an_example_named_twice_is_refused():
    with pytest.raises(UserError, match="'7' has '7_ann' twice"):
        build_catalogue([CatalogueEntry("7", None, "7_ann")] * 2, by_group=False)
