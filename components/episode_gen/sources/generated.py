"""Regression tasks that the project generates: nothing is stored or fetched.

For the sampling plan a task is a class: an episode of one way is K + Q examples of one task.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from components.episode_gen import targets
from components.episode_gen.options import DataOptions
from components.episode_gen.sources.base import CatalogueEntry, Stored
from components.modalities.base import ExampleSpec

TASKS_PER_PART = 500


class GeneratedTasks:
    """A source of generated tasks, called "name_00017".

    `draw` is a function (random generator of one task, number of examples) -> pairs (input,
    target); `version` is a number or text that changes when it does.
    """

    def __init__(
        self,
        name: str,
        *,
        version: int | str,
        spec: ExampleSpec,
        draw: Callable[[np.random.RandomState, int], Iterator[tuple[Any, np.ndarray]]],
        data: DataOptions,
    ) -> None:
        self.name, self.version, self.spec = name, version, spec
        self._draw, self._tasks, self._examples = draw, data.tasks, data.examples_per_task

    def catalogue(self) -> Iterator[CatalogueEntry]:
        for task in range(self._tasks):
            name = self._task_name(task)
            for number in range(self._examples):
                yield CatalogueEntry(name, None, f"{name}[{number}]")

    def parts(self) -> list[str]:
        starts = range(0, self._tasks, TASKS_PER_PART)
        return [f"{start}:{min(start + TASKS_PER_PART, self._tasks)}" for start in starts]

    def read(self, part: str) -> Iterator[Stored]:
        start, stop = map(int, part.split(":"))
        for task in range(start, stop):
            # RandomState's streams are frozen: the same tasks on every version of NumPy.
            pairs = self._draw(np.random.RandomState([task]), self._examples)
            for number, (x, y) in enumerate(pairs):
                example_id = f"{self._task_name(task)}[{number}]"
                yield Stored(example_id, targets.join(x, y, self.spec))

    def fingerprint(self) -> str:
        return f"{self.name} {self.version} {self._tasks} {self._examples}"

    def _task_name(self, task: int) -> str:
        return f"{self.name}_{task:05d}"
