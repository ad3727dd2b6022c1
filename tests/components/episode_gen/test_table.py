import pytest

from components.episode_gen.catalogue import Catalogue
from components.episode_gen.id_lists import open_id_lists, write_id_lists
from components.episode_gen.options import EpisodeOptions
from components.episode_gen.sources.base import Stored
from components.episode_gen.table import ContentTable, Planner, make_planner
from components.modalities.base import ExampleSpec
from serving.errors import UserError

TEXT = ExampleSpec("text", "string", ())
CATALOGUE = Catalogue({name: [f"{name}{i}" for i in range(3)] for name in "abcdef"}, {})
SPLITS = {"train": ["a", "b", "c"], "eval": ["d"], "test": ["e"]}
PLANNER = make_planner(TEXT, EpisodeOptions(ways=2, queries=2), CATALOGUE, SPLITS)


class Texts:
    """A source of three parts; `gone` is no longer in it."""

    spec = TEXT

    def __init__(self, gone: str = "") -> None:
        self.gone = gone

    def parts(self) -> list[str]:
        return ["fa", "be", "dc"]

    def read(self, part: str):
        for name in part:
            for example_id in CATALOGUE.examples[name]:
                if example_id != self.gone:
                    yield Stored(example_id, f"content of {example_id}".encode())


def test_every_example_of_a_split_is_found_by_its_id(tmp_path):
    PLANNER.save(str(tmp_path))
    ContentTable.write(str(tmp_path), PLANNER, Texts())
    table = ContentTable(str(tmp_path))
    for names in SPLITS.values():
        for name in names:
            for example_id in CATALOGUE.examples[name]:
                assert table[example_id] == f"content of {example_id}".encode()
    with pytest.raises(KeyError):
        table["f0"]  # a class of no split


def test_an_example_that_is_gone_is_named(tmp_path):
    PLANNER.save(str(tmp_path))
    with pytest.raises(UserError, match="'b1' is gone"):
        ContentTable.write(str(tmp_path), PLANNER, Texts(gone="b1"))


def test_a_planner_that_was_saved_draws_the_same_plans(tmp_path):
    PLANNER.save(str(tmp_path))
    opened = Planner.open(str(tmp_path))
    assert [opened.plan("train", i) for i in range(20)] == [
        PLANNER.plan("train", i) for i in range(20)
    ]
    assert opened.spec == TEXT
    for split in SPLITS:
        assert list(map(list, opened.splits[split].examples)) == PLANNER.splits[split].examples
        assert opened.splits[split].names == PLANNER.splits[split].names


def test_ids_may_be_any_names_of_files(tmp_path):
    classes = [["é", "a/b\n"], [], ["", "\udcff.png", "日本"]]
    write_id_lists(str(tmp_path), classes)
    lists = open_id_lists(str(tmp_path))
    assert list(map(list, lists)) == classes and lists.sizes == [2, 0, 3]
    assert lists[-1][1:] == classes[2][1:] and list(map(list, lists[1:])) == classes[1:]
    write_id_lists(str(tmp_path), [[]])
    assert list(map(list, open_id_lists(str(tmp_path)))) == [[]]


def test_only_episodes_of_train_hold_classes_of_one_group():
    names = [f"{group}/{word}" for group in "xyz" for word in "abc"]
    catalogue = Catalogue(
        {name: [f"{name}{i}" for i in range(3)] for name in names}, {n: n[0] for n in names}
    )
    splits = {"train": names, "eval": names, "test": names}
    options = EpisodeOptions(ways=2, queries=2, train_within_group=True)
    planner = make_planner(TEXT, options, catalogue, splits)

    def groups(split: str, index: int) -> set[str]:
        return {names[number][0] for number, _ in planner.plan(split, index).classes}

    assert all(len(groups("train", i)) == 1 for i in range(30))
    assert all(max(len(groups(split, i)) for i in range(30)) == 2 for split in ("eval", "test"))
