"""The interface of a backbone: pure functions from weights and examples to features."""

import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.meta_trainer.types import Weights


class Backbone(NamedTuple):
    """A network without its head.

    Attributes:
      init: `seed -> weights`, as shared by all episodes (no leading E).
      features: `(weights, x [E, B, ...], mask [E, B], statistics or None)
        -> (features [E, B, D], statistics)`. Weights are shared or `[E, ...]`, each on its own.
        With `None` the statistics of normalisation are those of `x` (the examples whose mask is
        1): the pass over the support set. Given, they are used as they are: the pass over queries.
      feature_size: D.
      positions: of features that keep them, as an image's height and width: these are
        `[E, B, *positions, D]`, and all positions share the head.
      frozen_names: weights that gradient-based learners leave as meta-learned (the offsets of
        normalisation: Finn et al.'s code meta-learns them and does not adapt them).
    """

    init: Callable[[int], Weights]
    features: Callable[..., tuple[tf.Tensor, Weights]]
    feature_size: int
    frozen_names: frozenset[str] = frozenset()
    positions: tuple[int, ...] = ()


def glorot(seed: int, name: str, shape: Sequence[int]) -> tf.Tensor:
    """Glorot-uniform values, drawn from the seed and the weight's name alone."""
    receptive = int(np.prod(shape[:-2], dtype=np.int64))
    limit = np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))
    return tf.constant(generator(seed, name).uniform(-limit, limit, shape), tf.float32)


def generator(seed: int, name: str) -> np.random.Generator:
    """A random generator of its own for each (seed, name)."""
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))
