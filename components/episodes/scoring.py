"""Scoring episodes: the one loop for meta-validation, comparisons and the evaluator."""

from collections.abc import Callable, Iterable

import numpy as np

from components.episodes.types import Episodes
from components.tasks.task import Prediction, Task

Predict = Callable[[Episodes], Prediction]
"""From stacked episodes to the predictions for their queries, as `Task.measure` takes them."""


def score_episodes(predict: Predict, stacks: Iterable[Episodes], task: Task) -> np.ndarray:
    """The metric of every episode, `[E]` float64; those of one stack are predicted in one call."""
    return np.concatenate(
        [task.measure(np.asarray(predict(stack)), np.asarray(stack.query_y)) for stack in stacks]
    )
