"""The state of meta-training as variables, so that it can be saved and resumed."""

import json
from typing import Any

import tensorflow as tf

from components.meta_trainer.training import optimizer
from components.meta_trainer.training.optimizer import Moments
from components.meta_trainer.types import Weights, to_dicts


class TrainingState(tf.Module):
    """Everything that a resumed run needs, in one checkpoint.

    Attributes:
      weights: the meta-learned weights, nested.
      first, second: the optimizer's moments, as the weights.
      best_weights: those with the best score on meta-validation episodes so far.
      best_score: that score.
      plateaus: plateaus met, int64: each lowers the outer learning rate.
      step: meta-steps done, int64.
      seconds: time spent in meta-training, over all runs, float64.
      history: JSON, a list of the entries of all evaluations.
    """

    def __init__(self, weights: Weights):
        super().__init__()
        moments = optimizer.init(weights)
        self.weights = _variables(weights)
        self.first = _variables(moments.first)
        self.second = _variables(moments.second)
        self.best_weights = _variables(weights)
        self.best_score = tf.Variable(float("-inf"), dtype=tf.float32)
        self.plateaus = tf.Variable(0, dtype=tf.int64)
        self.step = tf.Variable(0, dtype=tf.int64)
        self.seconds = tf.Variable(0.0, dtype=tf.float64)
        self.history = tf.Variable("[]")

    def read_weights(self) -> dict[str, Any]:
        """The values of the weights."""
        return _values(self.weights)

    def read_best_weights(self) -> dict[str, Any]:
        """The values of the best weights."""
        return _values(self.best_weights)

    def read_moments(self) -> Moments:
        """The values of the moments, as `optimizer.UPDATES` take them."""
        return Moments(_values(self.first), _values(self.second))

    def assign(self, weights: Weights, moments: Moments) -> None:
        """Stores the result of a meta-step."""
        _assign([self.weights, self.first, self.second], [weights, *moments])
        self.step.assign_add(1)

    def keep_if_best(self, score: float) -> None:
        """Copies the weights to `best_weights` if `score` is the best so far."""
        if score <= float(self.best_score):
            return
        self.best_score.assign(score)
        _assign(self.best_weights, self.weights)

    def go_on_from(self, best_weights: Weights, forget: float) -> None:
        """Takes these weights, and lowers the score that better ones must be above."""
        _assign(self.weights, best_weights)
        self.best_score.assign_sub(forget)

    def add_to_history(self, entry: dict[str, float]) -> None:
        """Adds the entry of an evaluation."""
        self.history.assign(json.dumps([*self.read_history(), entry]))

    def read_history(self) -> list[dict[str, float]]:
        """The entries of all evaluations, the oldest first."""
        return json.loads(self.history.numpy())


def _variables(weights: Weights) -> dict[str, Any]:
    return tf.nest.map_structure(tf.Variable, dict(weights))


def _values(variables: Weights) -> dict[str, Any]:
    return tf.nest.map_structure(tf.identity, to_dicts(variables))


def _assign(variables: Any, values: Any) -> None:
    for variable, value in zip(tf.nest.flatten(variables), tf.nest.flatten(values)):
        variable.assign(value)
