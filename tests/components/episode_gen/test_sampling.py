from collections import Counter

import pytest

from components.episode_gen.sampling import StableRng, plan_episode
from components.episodes import EpisodeShape

SHAPE = EpisodeShape(ways=5, shots=2, queries=3)
SIZES = [5, 6, 7, 20, 20, 20, 9, 5]
PINNED_CLASSES = [5, 2, 1, 3, 7]
PINNED_SUPPORT = [(3, 0), (2, 1), (1, 1), (4, 1), (3, 3), (0, 18), (0, 12), (4, 4), (2, 5), (1, 5)]


GROUPS = [[0, 1, 2, 3, 4], [2, 3, 4, 5, 6, 7]]


def plan(index: int = 0, *, seed: int = 0, split: str = "train", rotate: bool = False, groups=()):
    return plan_episode(
        seed=seed, split=split, index=index, shape=SHAPE, sizes=SIZES, rotate=rotate, groups=groups
    )


def test_a_plan_is_a_function_of_seed_split_and_index():
    assert plan(3) == plan(3)
    others = [plan(4), plan(3, seed=1), plan(3, split="eval"), plan(3, split="test")]
    assert all(other != plan(3) for other in others)


def test_the_stream_of_plans_is_pinned():
    """Changes only if every episode set in the world may change: raise FORMAT_VERSION then."""
    classes = [number for number, _ in plan(0).classes]
    assert classes == PINNED_CLASSES
    assert [tuple(slot) for slot in plan(0).support] == PINNED_SUPPORT


@pytest.mark.parametrize("index", range(50))
def test_labels_are_balanced_and_no_example_is_used_twice(index):
    drawn = plan(index, rotate=True)
    assert Counter(slot.label for slot in drawn.support) == dict.fromkeys(range(5), 2)
    assert Counter(slot.label for slot in drawn.query) == dict.fromkeys(range(5), 3)
    used = drawn.support + drawn.query
    assert len(set(used)) == len(used)
    assert all(slot.ordinal < SIZES[drawn.classes[slot.label].number] for slot in used)


@pytest.mark.parametrize("index", range(50))
def test_a_class_is_never_twice_in_an_episode_even_rotated(index):
    numbers = [planned.number for planned in plan(index, rotate=True).classes]
    assert len(set(numbers)) == len(numbers)


def test_every_rotation_is_drawn_only_where_asked_for():
    rotations = {planned.quarters for i in range(50) for planned in plan(i, rotate=True).classes}
    assert rotations == {0, 1, 2, 3}
    assert {planned.quarters for i in range(50) for planned in plan(i).classes} == {0}


def test_every_class_gets_every_label_equally_often():
    """Chi-squared over the 8 x 5 table, 39 - 7 - 4 = 28 degrees of freedom."""
    episodes = 4000
    counts = Counter(
        (planned.number, label)
        for i in range(episodes)
        for label, planned in enumerate(plan(i).classes)
    )
    expected = episodes / len(SIZES)
    statistic = sum(
        (counts[number, label] - expected) ** 2 / expected
        for number in range(len(SIZES))
        for label in range(5)
    )
    assert statistic < 60  # p = 0.0004


def test_with_groups_all_classes_of_an_episode_are_of_one():
    for index in range(50):
        numbers = {number for number, _ in plan(index, groups=GROUPS).classes}
        assert len(numbers) == 5
        assert any(numbers <= set(group) for group in GROUPS)
        assert plan(index, groups=GROUPS) == plan(index, groups=GROUPS)


def test_every_group_is_drawn_equally_often_whatever_its_size():
    """Class 0 is in the first group alone, and that group's episodes hold all of its classes."""
    episodes = 2000
    first = sum(
        0 in {number for number, _ in plan(i, groups=GROUPS).classes} for i in range(episodes)
    )
    assert abs(first - episodes / 2) < 3.5 * (episodes / 4) ** 0.5  # p = 0.0005


def test_distinct_draws_are_uniform_over_ordered_selections():
    counts = Counter(tuple(StableRng((seed,), 2).distinct(4, 2)) for seed in range(6000))
    assert len(counts) == 12
    assert sum((count - 500) ** 2 / 500 for count in counts.values()) < 35  # p = 0.0003, 11 d.o.f.


def test_distinct_can_take_everything():
    assert sorted(StableRng((1,), 9).distinct(9, 9)) == list(range(9))
