"""No episode holds two equal examples."""

import pytest

from components.episode_gen.catalogue import Catalogue
from components.episode_gen.copies import find_copies, without_copies
from components.episode_gen.options import EpisodeOptions
from components.episode_gen.table import Planner, make_planner
from components.modalities.base import ExampleSpec
from serving.errors import UserError

TEXT = ExampleSpec("text", "string", ())
CONTENT = {"a1": "x", "a2": "x", "a3": "y", "b1": "z", "b2": "x", "b3": "u", "c1": "v", "c2": "w"}


def test_only_what_is_alike_is_read():
    read = []

    def content(name):
        read.append(name)
        return CONTENT[name]

    copies = find_copies(CONTENT, lambda name: CONTENT[name] in "xy", content)
    assert copies == {"a2": "a1", "b2": "a1"}
    copies = find_copies(["a1", "b1"], lambda name: name, content)
    assert copies == {} and set(read) == set(CONTENT)


def test_of_a_class_the_first_is_kept_and_across_classes_all_are_named():
    examples = {name: sorted(one for one in CONTENT if one[0] == name) for name in "abc"}
    catalogue, across = without_copies(Catalogue(examples, {}), {"a2": "a1", "b2": "a1"})
    assert catalogue.examples == {"a": ["a1", "a3"], "b": ["b1", "b2", "b3"], "c": ["c1", "c2"]}
    assert across == {"a1": "a1", "b2": "a1"}


def planner(shared: int, tmp_path) -> Planner:
    """Six classes of four examples, of which the first of all are the same."""
    names = [f"c{n}" for n in range(6)]
    examples = {name: [f"{name}/{i}" for i in range(4)] for name in names}
    equal = {f"{name}/{i}": "one" for name in names for i in range(shared)}
    tmp_path.mkdir(exist_ok=True)
    options = EpisodeOptions(ways=2, shots=1, queries=1)
    splits = {"train": names, "eval": [], "test": []}
    make_planner(TEXT, options, Catalogue(examples, {}), splits, equal).save(str(tmp_path))
    return Planner.open(str(tmp_path))


def test_equal_examples_are_never_in_one_episode(tmp_path):
    drawn, plain = planner(1, tmp_path / "a"), planner(0, tmp_path / "b")
    changed = 0
    for index in range(200):
        plan = drawn.plan("train", index)
        ids = [drawn.equal.get(one, one) for one in drawn.example_ids("train", plan)]
        assert len(set(ids)) == len(ids)
        changed += plan != plain.plan("train", index)
    assert 0 < changed < 150  # the other episodes are those of data without copies


def test_where_there_is_no_such_episode_it_is_said(tmp_path):
    with pytest.raises(UserError, match="must not hold equal examples in two classes"):
        planner(4, tmp_path / "c").plan("train", 0)
