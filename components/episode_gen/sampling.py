"""The sampling plan: which classes and examples make an episode.

A plan is a pure function of the seed, the split and the episode's index, so that it is the same on
every runner, in every process and at every retry. Only raw integers of PCG64 are used, whose stream
NumPy keeps stable; its `choice` and `shuffle` may change between versions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from components.episodes import SPLITS, EpisodeShape

ROTATIONS = 4  # by 0, 90, 180 and 270 degrees


class PlannedClass(NamedTuple):
    """A class of an episode."""

    number: int  # its place among the split's sorted class names
    quarters: int  # rotation of its examples in multiples (0..3) of 90 degrees


class Slot(NamedTuple):
    """One place in an episode."""

    label: int  # 0..N-1
    ordinal: int  # place of the example among the sorted examples of its class


class EpisodePlan(NamedTuple):
    """The classes and examples of one episode."""

    classes: list[PlannedClass]  # the N classes; a label is an index into them
    # support, query: places of the support and the query set, in order
    support: list[Slot]
    query: list[Slot]


class StableRng:
    """A stream of `count` uniform whole numbers, the same on every version of NumPy.

    It is named by the non-negative integers of `entropy`.
    """

    def __init__(self, entropy: Sequence[int], count: int) -> None:
        raw = np.random.PCG64(np.random.SeedSequence(list(entropy))).random_raw(count)
        self._raw = iter(raw.tolist())

    def below(self, bound: int) -> int:
        """Uniform in 0..bound-1 (the bias, bound / 2^64, is far below anything measurable)."""
        return (next(self._raw) * bound) >> 64

    def distinct(self, bound: int, count: int) -> list[int]:
        """`count` different numbers below `bound` in random order: Fisher and Yates, sparsely."""
        moved: dict[int, int] = {}
        chosen = []
        for i in range(count):
            j = i + self.below(bound - i)
            chosen.append(moved.get(j, j))
            moved[j] = moved.get(i, i)
        return chosen


def plan_episode(
    *,
    seed: int,
    split: str,
    index: int,
    shape: EpisodeShape,
    sizes: Sequence[int],
    rotate: bool,
    groups: Sequence[Sequence[int]] = (),
    attempt: int = 0,
) -> EpisodePlan:
    """Draws one episode.

    - With `groups` (the class numbers of each, at least N) all classes are of one of them; every
      group is drawn equally often, however many classes it has.
    - The classes are different from each other, also when they are rotated (`rotate`), and the
      label that each gets is drawn with them.
    - No example is in both support and query, or twice in either.
    - Every class has exactly K support and Q query examples, in an order that is drawn, too.

    `sizes` are the numbers of examples of each class of the split, classes sorted by name. With
    another `attempt` than 0, another episode is drawn, in place of one that cannot be used.
    """
    ways, shots, queries = shape
    per_class = shots + queries
    entropy = (seed, SPLITS.index(split), index, *([attempt] if attempt else []))
    rng = StableRng(entropy, count=1 + 2 * ways + 2 * ways * per_class)
    choice = groups[rng.below(len(groups))] if groups else range(len(sizes))
    numbers = [choice[place] for place in rng.distinct(len(choice), ways)]
    rotations = [rng.below(ROTATIONS) if rotate else 0 for _ in numbers]
    support, query = [], []
    for label, number in enumerate(numbers):
        ordinals = rng.distinct(sizes[number], per_class)
        support += [Slot(label, ordinal) for ordinal in ordinals[:shots]]
        query += [Slot(label, ordinal) for ordinal in ordinals[shots:]]
    return EpisodePlan(
        classes=[PlannedClass(*pair) for pair in zip(numbers, rotations)],
        support=[support[i] for i in rng.distinct(len(support), len(support))],
        query=[query[i] for i in rng.distinct(len(query), len(query))],
    )
