"""The interface of a task type: facts about its labels, and pure functions of outputs.

Shape letters: E episodes, B examples of one side of an episode, S support examples, Q query
examples, N outputs of the network for one example.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

Tensor = Any  # tf.Tensor; this module does not import TensorFlow
Prediction = np.ndarray
"""What a served model answers: probabilities `[E, Q, N]`, or targets `[E, Q, ...target]`."""


class Task(NamedTuple):
    """All that differs between task types, from stored labels to the metric.

    Attributes:
      name: "classification", "regression" or "retrieval", as a model's metadata has it.
      classes: whether a label is one of N classes, which have names, can be permuted, and can be
        absent; -1 is then the label of padding. Targets have none of this.
      metric: name of what `measure` gives, "accuracy", "recall" or
        "mean_squared_error".
      higher_is_better: whether a larger value of the metric is better.
      label_shape: shape of one label: `()`, or that of a target.
      label_dtype: NumPy dtype name of `support_y` and `query_y`.
      stored_dtype: NumPy dtype name of labels in a stored episode.
      prediction: name of the output that holds the prediction.
      path_prediction: name of the output of `adaptation_path` that holds it for every inner step.
      output_dtypes: NumPy dtype names of the outputs of `serving_default`, by name.
      optional_output_dtypes: those of outputs that some models have beside them.
      network_outputs: `(ways, positions of the backbone's output) ->` N.

      prepare_labels: TensorFlow, labels as stored and served -> as learners see them, which is what
        the functions of this group take.
      mask: TensorFlow, `y [E, B, ...] -> [E, B]` float32, 0 for padding.
      loss: TensorFlow, `(outputs [E, B, N], y, support_y) -> [E]`, the mean over all examples but
        padding.
      score: TensorFlow, `(outputs, y, support_y) -> [E]`, higher is better: the accuracy, or minus
        the mean squared error.
      predict: TensorFlow, `(outputs, support_y) ->` the prediction.
      named_outputs: TensorFlow, `prediction ->` the tensors of `output_dtypes`.
      check_support: TensorFlow, `(support_x, support_y, example_shape, ways) ->` both as they are,
        or INVALID_ARGUMENT.

      measure: NumPy, `(prediction, query_y [E, Q, ...]) -> [E]` float64, the metric of each
        episode.
      keep_shots: NumPy, `(support_x, support_y, shots) ->` both with only so many shots.
      wrong_labels: NumPy, `(support_y, ways) ->` labels that `check_support` must refuse, by what
        is wrong with them.
      find_fault: NumPy, `(outputs of serving_default, (E, Q), ways, tolerance) ->` one sentence of
        what is wrong with them; "" if nothing is.
    """

    name: str
    classes: bool
    metric: str
    higher_is_better: bool
    label_shape: tuple[int, ...]
    label_dtype: str
    stored_dtype: str
    prediction: str
    path_prediction: str
    output_dtypes: Mapping[str, str]
    optional_output_dtypes: Mapping[str, str]
    network_outputs: Callable[[int, tuple[int, ...]], int]
    prepare_labels: Callable[[Tensor], Tensor]
    mask: Callable[[Tensor], Tensor]
    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    score: Callable[[Tensor, Tensor, Tensor], Tensor]
    predict: Callable[[Tensor, Tensor], Tensor]
    named_outputs: Callable[[Tensor], dict[str, Tensor]]
    check_support: Callable[..., tuple[Tensor, Tensor]]
    measure: Callable[[Prediction, np.ndarray], np.ndarray]
    keep_shots: Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]
    wrong_labels: Callable[[np.ndarray, int], dict[str, np.ndarray]]
    find_fault: Callable[[Mapping[str, np.ndarray], tuple[int, int], int, float], str]


def with_first(values: np.ndarray, value: object) -> np.ndarray:
    """A copy of an array with another first element."""
    changed = values.copy()
    changed.reshape(-1)[0] = value
    return changed
