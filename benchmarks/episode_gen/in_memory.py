"""Drawing tasks in memory, the way few-shot training scripts do: for comparison of speed only.

As in learn2learn, a task is first a list of which examples to take, which one transform after the
other narrows and extends (N classes, K + Q examples of each, a turn for each class, labels 0 to
N - 1); then every example is loaded by itself, and the task is collated. The draws come from one
stream, so they depend on the order of calls, nothing is written, and no two processes see the same.
"""

from typing import NamedTuple

import numpy as np


class Wanted(NamedTuple):
    """One example of a task before it is loaded."""

    number: int
    ordinal: int
    turn: int
    label: int


class InMemoryTasks:
    """Tasks over arrays `[n, H, W, C]`, one for each class."""

    def __init__(self, classes: list[np.ndarray], ways: int, shots: int, queries: int, seed=0):
        self._classes, self._ways, self._shots, self._queries = classes, ways, shots, queries
        self._rng = np.random.default_rng(seed)

    def sample(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """support_x `[S, H, W, C]`, support_y `[S]`, query_x, query_y of one task."""
        support, query = [], []
        for label, number in enumerate(
            self._rng.choice(len(self._classes), self._ways, replace=False)
        ):
            turn = int(self._rng.integers(4))
            ordinals = self._rng.choice(
                len(self._classes[number]), self._shots + self._queries, replace=False
            )
            wanted = [Wanted(number, ordinal, turn, label) for ordinal in ordinals]
            support += wanted[: self._shots]
            query += wanted[self._shots :]
        return *self._collated(support), *self._collated(query)

    def _collated(self, wanted: list[Wanted]) -> tuple[np.ndarray, np.ndarray]:
        images = [np.rot90(self._classes[one.number][one.ordinal], one.turn) for one in wanted]
        return np.stack(images), np.array([one.label for one in wanted], np.int32)
