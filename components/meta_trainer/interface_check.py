"""Checks, before a learner trains, that it keeps the promises of its interface.

Shapes are followed without computing anything: a mistake in a new learner would otherwise show as
an error deep in the loss, or not at all. That predictions are inductive is tried on one small
episode.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.episodes.record import EpisodeSetRecord
from components.episodes.types import Support
from components.meta_trainer.build import Assembly
from components.meta_trainer.types import by_joined_name
from components.modalities.base import ExampleSpec
from serving.errors import UserError

EPISODES = 2
AUDIO_SAMPLES = 4000
TOLERANCE = 1e-3
"""Largest difference, by the size of the outputs, between a query's outputs alone and with others:
float32 rounds to 1e-5, and moments of the other queries change them by 0.1 and more."""


def check_learner(assembly: Assembly, record: EpisodeSetRecord) -> None:
    """Checks a learner on episodes of the record's shape.

    Raises:
      UserError: `adapt` or `predict` breaks a promise of `learners.base.Learner`.
    """
    _check_shapes(assembly, record)
    if assembly.learner.inductive:
        check_inductive(assembly, record.example_spec)


def _check_shapes(assembly: Assembly, record: EpisodeSetRecord) -> None:
    """Traces `init`, `adapt` and `predict`."""
    learner, task, prepare = assembly.learner, assembly.task, assembly.modality.prepare
    name = f"learner {assembly.learner_name!r}"
    ways, shots, queries = record.shape_of("train")
    spec = record.example_spec
    dtype = tf.as_dtype(spec.dtype)
    support_x = tf.TensorSpec([EPISODES, ways * shots, *spec.shape], dtype)
    query_x = tf.TensorSpec([EPISODES, ways * queries, *spec.shape], dtype)
    support_y = tf.TensorSpec([EPISODES, ways * shots, *task.label_shape], task.label_dtype)
    weights = learner.init(0)

    def adapt(x: tf.Tensor, y: tf.Tensor) -> Any:
        return learner.adapt(weights, Support(prepare(x), task.prepare_labels(y)))

    def predict(x: tf.Tensor, y: tf.Tensor, query_x: tf.Tensor) -> Any:
        return learner.predict(weights, adapt(x, y), prepare(query_x))

    adapted = _trace(adapt, support_x, support_y, where=f"`adapt` of {name}")
    if not isinstance(adapted, Mapping):
        raise UserError(
            f"`adapt` of {name} must give a dict of tensors by name; it gave {adapted!r}."
        )
    for key, tensor in by_joined_name(adapted).items():
        if not _fits(tensor.shape[:1], [EPISODES]):
            raise UserError(
                f"`adapt` of {name} must give tensors [E, ...], one of each episode: {key!r} is "
                f"{list(tensor.shape)} where E is {EPISODES}."
            )
    outputs = _trace(predict, support_x, support_y, query_x, where=f"`predict` of {name}")
    _check_outputs(assembly, outputs, EPISODES, ways * queries)


def check_inductive(assembly: Assembly, spec: ExampleSpec) -> None:
    """Predicts two queries alone and together, after adapting to one random example.

    Raises:
      UserError: the predictions differ.
    """
    learner, prepare, rng = assembly.learner, assembly.modality.prepare, np.random.default_rng(0)
    task = assembly.task
    if spec.phrases:
        support_y = task.prepare_labels(tf.constant([["a phrase"]]))
    elif task.classes:
        support_y = tf.constant([[0]])
    else:
        support_y = tf.constant(rng.random((1, 1, *task.label_shape)), tf.float32)
    weights = learner.init(0)
    support_x, query_x = (prepare(_random_examples(spec, count, rng)) for count in (1, 2))
    adapted = learner.adapt(weights, Support(support_x, support_y))
    together = learner.predict(weights, adapted, query_x).numpy()
    _check_outputs(assembly, together, 1, 2)
    alone = learner.predict(weights, adapted, query_x[:, :1]).numpy()
    difference = np.abs(alone[:, 0] - together[:, 0]).max()
    if difference > TOLERANCE * (1 + np.abs(together).max()):
        raise UserError(
            f"learner {assembly.learner_name!r} must predict each query from the support set and "
            f"that query alone: another query changed the outputs by {difference:.2g}. Correct "
            "`predict`, or set `inductive=False` in the traits of the learner or in its backbone "
            "(such a model is never blessed)."
        )


def _check_outputs(assembly: Assembly, outputs: Any, episodes: int, queries: int) -> None:
    """Checks the shape of what `predict` gave, as far as it is known."""
    learner, shape = assembly.learner, tf.TensorShape(outputs.shape)
    last = learner.network.outputs if learner.traits.fixed_ways else None
    expected = [episodes, queries, *learner.network.backbone.positions, last]
    if not _fits(shape, expected):
        raise UserError(
            f"`predict` of learner {assembly.learner_name!r} must give outputs [E, Q, N] = "
            f"{expected}; it gave {list(shape)}."
        )


def _random_examples(spec: ExampleSpec, count: int, rng: np.random.Generator) -> tf.Tensor:
    """Random examples of one episode as stored, `[1, count, *spec.shape]`."""
    if spec.dtype == "string":
        words = rng.integers(0, 1000, (count, 8))
        return tf.constant([[" ".join(f"word{number}" for number in text) for text in words]])
    shape = (1, count, *(size or AUDIO_SAMPLES for size in spec.shape))
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "f":
        return tf.constant(rng.standard_normal(shape).astype(dtype))
    return tf.constant(rng.integers(0, 256, shape).astype(dtype))


def _trace(function: Callable, *specs: tf.TensorSpec, where: str) -> Any:
    """The function's outputs, as tensors without values."""
    traced = tf.function(function, autograph=False)
    try:
        return traced.get_concrete_function(*specs).structured_outputs
    except KeyError as error:
        message = f"{where} asks for {error}, which is in no weights that it has."
        raise UserError(message) from error


def _fits(shape: tf.TensorShape, expected: Sequence[int | None]) -> bool:
    return shape.rank is None or shape.is_compatible_with(expected)
