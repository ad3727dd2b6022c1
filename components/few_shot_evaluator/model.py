"""An exported model as the evaluator asks it: NumPy in, NumPy out."""

from typing import Any

import numpy as np
import tensorflow as tf

from components.tasks.task import Task
from serving.saved_model import signatures


class ExportedModel:
    """A SavedModel with the signatures of `serving.saved_model.signatures`.

    Args:
      saved_model_dir: the folder that holds `saved_model.pb`.
      task: the task type of the episodes that it is to predict.
    """

    def __init__(self, saved_model_dir: str, task: Task):
        self.task = task
        self._loaded = tf.saved_model.load(saved_model_dir)
        self._answer = self._loaded.signatures[signatures.ADAPT_AND_PREDICT]
        self._path = self._loaded.signatures.get(signatures.PATH)

    @property
    def has_path(self) -> bool:
        """Whether the model shows its answers before and after each inner step."""
        return self._path is not None

    def answer(self, support_x: Any, support_y: np.ndarray, query_x: Any) -> np.ndarray:
        """The answers to all queries, `[E, Q, ...]`."""
        return self._ask(self._answer, support_x, support_y, query_x)[self.task.prediction]

    def path(self, support_x: Any, support_y: np.ndarray, query_x: Any) -> np.ndarray:
        """The answers before and after each inner step, `[E, steps + 1, Q, ...]`."""
        return self._ask(self._path, support_x, support_y, query_x)[self.task.path_prediction]

    def _ask(self, function: Any, support_x: Any, support_y: Any, query_x: Any) -> dict:
        outputs = function(
            **{
                signatures.SUPPORT_X: tf.constant(support_x),
                signatures.SUPPORT_Y: tf.constant(support_y),
                signatures.QUERY_X: tf.constant(query_x),
            }
        )
        return {name: tensor.numpy() for name, tensor in outputs.items()}
