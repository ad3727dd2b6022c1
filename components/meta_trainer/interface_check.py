"""Whether a learner keeps to the interface, told in a sentence before it trains.

Shapes are followed without computing anything: a mistake in a new learner would else show as an
error deep in the loss, or not at all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Support
from components.meta_trainer.build import Assembly

EPISODES = 2


def check_learner(assembly: Assembly, record: EpisodeSetRecord) -> None:
    """Traces `init`, `adapt` and `predict` on episodes of the record's shape.

    Raises:
      ValueError: one of them gives what `learners.base.Learner` does not promise.
    """
    learner, spec = assembly.learner, record.example_spec
    prepare = assembly.modality.prepare
    name = f"learner {assembly.learner_name!r}"
    ways, shots, queries = record.shape_of("train")
    dtype = tf.string if spec.dtype == "string" else tf.as_dtype(spec.dtype)
    support_x = tf.TensorSpec([EPISODES, ways * shots, *spec.shape], dtype)
    query_x = tf.TensorSpec([EPISODES, ways * queries, *spec.shape], dtype)
    task = assembly.task
    support_y = tf.TensorSpec([EPISODES, ways * shots, *task.label_shape], task.label_dtype)
    weights = learner.init(0)

    def adapt(x: tf.Tensor, y: tf.Tensor) -> Any:
        return learner.adapt(weights, Support(prepare(x), y))

    def answer(x: tf.Tensor, y: tf.Tensor, query_x: tf.Tensor) -> Any:
        return learner.predict(weights, adapt(x, y), prepare(query_x))

    adapted = _traced(adapt, support_x, support_y, where=f"`adapt` of {name}")
    if not isinstance(adapted, dict):
        raise ValueError(
            f"`adapt` of {name} must give a dict of tensors by name; it gave {adapted!r}."
        )
    for key, tensor in adapted.items():
        if not _fits(tensor.shape[:1], [EPISODES]):
            raise ValueError(
                f"`adapt` of {name} must give tensors [E, ...], one of each episode: {key!r} is "
                f"{list(tensor.shape)} where E is {EPISODES}."
            )
    outputs = _traced(answer, support_x, support_y, query_x, where=f"`predict` of {name}")
    last = learner.network.outputs if learner.fixed_ways else None
    expected = [EPISODES, ways * queries, *learner.network.backbone.positions, last]
    if not _fits(outputs.shape, expected):
        raise ValueError(
            f"`predict` of {name} must give outputs [E, Q, N] = {expected}; "
            f"it gave {list(outputs.shape)}."
        )


def _traced(function: Callable, *specs: tf.TensorSpec, where: str) -> Any:
    """What the function gives, as tensors without values."""
    try:
        return (
            tf.function(function, autograph=False).get_concrete_function(*specs).structured_outputs
        )
    except KeyError as error:
        raise ValueError(
            f"{where} asks for {error}, which is in no weights that it has."
        ) from error


def _fits(shape: tf.TensorShape, expected: Sequence[int | None]) -> bool:
    return shape.rank is None or shape.is_compatible_with(expected)
