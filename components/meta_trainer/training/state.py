"""The state of meta-training as variables, so that it can be saved and gone on with."""

import json

import tensorflow as tf

from components.meta_trainer.training import optimizer
from components.meta_trainer.training.optimizer import AdamState
from components.meta_trainer.types import Weights


class TrainingState(tf.Module):
    """Everything that a resumed run needs, in one checkpoint.

    Attributes:
      weights, first, second: the meta-learned weights and Adam's moments, by name.
      best_weights, best_score: those with the best score on meta-validation episodes so far.
      step: meta-steps done, int64.
      seconds: spent in meta-training, over all runs.
      history: JSON, a list of what each evaluation found.
    """

    def __init__(self, weights: Weights):
        super().__init__()
        adam = optimizer.init(weights)
        self.weights = _variables(weights)
        self.first = _variables(adam.first)
        self.second = _variables(adam.second)
        self.best_weights = _variables(weights)
        self.best_score = tf.Variable(float("-inf"), dtype=tf.float32)
        self.step = tf.Variable(0, dtype=tf.int64)
        self.seconds = tf.Variable(0.0, dtype=tf.float64)
        self.history = tf.Variable("[]")

    @property
    def adam(self) -> AdamState:
        """The moments, as `optimizer.update` takes them."""
        return AdamState(self.first, self.second)

    def assign(self, weights: Weights, adam: AdamState) -> None:
        """Takes over the result of a meta-step."""
        _assign(self.weights, weights)
        _assign(self.first, adam.first)
        _assign(self.second, adam.second)
        self.step.assign_add(1)

    def keep_if_best(self, score: float) -> bool:
        """Copies the weights to `best_weights` if `score` is the best so far."""
        if score <= float(self.best_score):
            return False
        self.best_score.assign(score)
        _assign(self.best_weights, self.weights)
        return True

    def add_to_history(self, entry: dict[str, float]) -> None:
        """Adds what an evaluation found."""
        self.history.assign(json.dumps([*self.read_history(), entry]))

    def read_history(self) -> list[dict[str, float]]:
        """What the evaluations found, the oldest first."""
        return json.loads(self.history.numpy())


def _variables(weights: Weights) -> dict[str, tf.Variable]:
    return {name: tf.Variable(w, name=name) for name, w in weights.items()}


def _assign(variables: dict[str, tf.Variable], values: Weights) -> None:
    for name, variable in variables.items():
        variable.assign(values[name])
