"""Sampling tasks in memory, as few-shot training scripts do: for comparison of speed only.

As in learn2learn, a task is first a list of the examples to take, which one transform after the
other narrows and extends (N classes, K + Q examples of each, a rotation for each class, labels 0 to
N - 1); then every example is loaded by itself, and the task is collated. All random numbers come
from one stream, so tasks depend on the order of calls; no task is written to disk.
"""

from typing import NamedTuple

import numpy as np


class Sample(NamedTuple):
    """One example of a task, before it is loaded."""

    number: int
    ordinal: int
    rotation: int
    label: int


class InMemoryTasks:
    """A sampler of tasks over arrays `[n, H, W, C]`, one for each class."""

    def __init__(self, classes: list[np.ndarray], ways: int, shots: int, queries: int, seed=0):
        self._classes, self._ways, self._shots, self._queries = classes, ways, shots, queries
        self._rng = np.random.default_rng(seed)

    def sample(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Samples one task: support_x `[S, H, W, C]`, support_y `[S]`, query_x, query_y."""
        support, query = [], []
        for label, number in enumerate(
            self._rng.choice(len(self._classes), self._ways, replace=False)
        ):
            rotation = int(self._rng.integers(4))
            ordinals = self._rng.choice(
                len(self._classes[number]), self._shots + self._queries, replace=False
            )
            samples = [Sample(number, ordinal, rotation, label) for ordinal in ordinals]
            support += samples[: self._shots]
            query += samples[self._shots :]
        return *self._collate(support), *self._collate(query)

    def _collate(self, samples: list[Sample]) -> tuple[np.ndarray, np.ndarray]:
        images = [np.rot90(self._classes[one.number][one.ordinal], one.rotation) for one in samples]
        return np.stack(images), np.array([one.label for one in samples], np.int32)
